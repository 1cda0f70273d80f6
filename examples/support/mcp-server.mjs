import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createMcpHandler, McpServer, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import { toNodeHandler } from 'hydrant/node';
import { listen } from './recording-server.mjs';

/**
 * An MCP server on loopback, which knows the user of each access token. It speaks the session-less protocol of
 * 2026-07-28, or with `sessions` an older one.
 *
 * @param {Map<string, string>} users by access token
 * @param {{ sessions?: boolean }} [options]
 */
export async function startMcpServer(users, { sessions: withSessions = false } = {}) {
  /** @type {Map<string, { transport: WebStandardStreamableHTTPServerTransport, user: string }>} */
  const sessions = new Map();
  /** @type {string[]} */
  const discoveries = [];
  let begun = 0;

  /** @param {string} user */
  function serverFor(user) {
    const server = new McpServer({ name: 'calendar', version: '1.0.0' });
    server.registerTool('whoami', { description: 'Says who you are' }, async () => ({ content: [{ type: 'text', text: user }] }));
    return server;
  }

  /** @param {string} user */
  async function begin(user) {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        begun += 1;
        sessions.set(id, { transport, user });
      },
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await serverFor(user).connect(transport);
    return transport;
  }

  /** @param {Request} request @param {string} user */
  async function answerInSession(request, user) {
    const id = request.headers.get('mcp-session-id');
    if (id === null) return (await begin(user)).handleRequest(request);
    const session = sessions.get(id);
    return session?.user === user ? session.transport.handleRequest(request) : new Response(null, { status: 404 });
  }

  /** Any process can answer any request. @param {Request} request @param {string} user */
  async function answer(request, user) {
    if (request.headers.get('mcp-method') === 'server/discover') discoveries.push(user);
    const handler = createMcpHandler(() => serverFor(user), { legacy: 'reject' });
    return handler.fetch(request);
  }

  const server = createServer(toNodeHandler(async (request) => {
    const user = users.get(request.headers.get('authorization')?.replace('Bearer ', '') ?? '');
    if (user === undefined) return new Response(null, { status: 401 });
    return withSessions ? answerInSession(request, user) : answer(request, user);
  }));
  const url = await listen(server);
  return {
    url,
    sessions,
    /** Whose clients have asked what the server can do. */
    discoveries,
    /** How many sessions were begun. */
    get begun() { return begun; },
    async close() {
      await Promise.all([...sessions.values()].map(({ transport }) => transport.close()));
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
