import { createServer } from 'node:http';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { MemoryStore } from 'hydrant';
import { listen } from '../support/recording-server.mjs';
import { createReplica } from './gateway.mjs';

/** Stands for the check of an access token. @param {Request} request */
const userOf = async (request) => /^Bearer token-of-(\w+)$/.exec(request.headers.get('authorization') ?? '')?.[1];

/** Replicas over one database, and a balancer that sends each request to the next one. */
export async function startCluster() {
  /** @type {MemoryStore<{ id: string, user: string, initialize: any }>} */
  const store = new MemoryStore();
  /** @type {Map<string, string[]>} */
  const table = new Map();
  const notes = {
    /** @param {string} session @param {string} note */
    add: async (session, note) => void table.set(session, [...(table.get(session) ?? []), note]),
    /** @param {string} session */
    of: async (session) => table.get(session) ?? [],
  };

  /**
   * @type {{ origin: string, registry: import('hydrant').ConnectionRegistry<any, any>, served: string[],
   *   stop(): Promise<void> }[]}
   */
  const replicas = [];
  let turn = 0;

  return {
    store,
    replicas,
    async add() {
      const { listener, registry } = createReplica({ store, notes, userOf });
      const server = createServer(listener);
      const replica = {
        origin: await listen(server),
        registry,
        served: /** @type {string[]} */ ([]),
        async stop() {
          replicas.splice(replicas.indexOf(replica), 1);
          server.close();
          server.closeIdleConnections();
          await registry.close();
        },
      };
      replicas.push(replica);
      return replica;
    },
    /** The SDK's own client, as a user. @param {string} user @param {string} [sessionId] */
    async client(user, sessionId) {
      const transport = new StreamableHTTPClientTransport(new URL('http://balancer/mcp'), {
        requestInit: { headers: { authorization: `Bearer token-of-${user}` } },
        ...(sessionId && { sessionId }),
        async fetch(url, init) {
          const replica = replicas[turn++ % replicas.length];
          if (replica === undefined) throw new Error('no replica is left');
          if (typeof init?.body === 'string') replica.served.push(JSON.parse(init.body).method);
          return fetch(new URL(new URL(url).pathname, replica.origin), init);
        },
      });
      const client = new Client({ name: 'a client', version: '1.0.0' });
      await client.connect(transport);
      /** @param {string} name @param {Record<string, unknown>} [input] */
      const call = async (name, input = {}) => {
        const { content } = await client.callTool({ name, arguments: input });
        return /** @type {{ text: string }[]} */ (content)[0]?.text;
      };
      return { client, transport, call };
    },
    close: () => Promise.all([...replicas].map((replica) => replica.stop())),
  };
}
