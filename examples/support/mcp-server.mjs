import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { toNodeHandler } from 'hydrant/node';
import { listen } from './recording-server.mjs';

/**
 * An MCP server with sessions on loopback, which knows whose access token is whose.
 *
 * @param {Map<string, string>} users by access token
 */
export async function startMcpServer(users) {
  /** @type {Map<string, { transport: WebStandardStreamableHTTPServerTransport, user: string }>} */
  const sessions = new Map();
  let begun = 0;

  /** @param {string} user */
  async function begin(user) {
    begun += 1;
    const server = new McpServer({ name: 'calendar', version: '1.0.0' });
    server.registerTool('whoami', { description: 'Says who you are' }, async () => ({ content: [{ type: 'text', text: user }] }));
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, { transport, user }),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await server.connect(transport);
    return transport;
  }

  const server = createServer(toNodeHandler(async (request) => {
    const user = users.get(request.headers.get('authorization')?.replace('Bearer ', '') ?? '');
    if (user === undefined) return new Response(null, { status: 401 });
    const id = request.headers.get('mcp-session-id');
    if (id === null) return (await begin(user)).handleRequest(request);
    const session = sessions.get(id);
    return session?.user === user ? session.transport.handleRequest(request) : new Response(null, { status: 404 });
  }));
  const url = await listen(server);
  return {
    url,
    sessions,
    /** How many sessions were begun. */
    get begun() { return begun; },
    async close() {
      await Promise.all([...sessions.values()].map(({ transport }) => transport.close()));
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
