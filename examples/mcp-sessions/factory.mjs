import { McpServer, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import { z } from 'zod';

/**
 * Makes a server and a transport of the row of an MCP session, in the state in which the client left them.
 *
 * @typedef {import('hydrant').ConnectionRecord & { user: string, initialize: any }} SessionRow `initialize` is the
 *   client's first message in the session
 *
 * @param {{
 *   notes: { add(session: string, note: string): Promise<void>, of(session: string): Promise<readonly string[]> },
 *   userOf: (request: Request) => Promise<string | undefined>,
 *   end: (session: string) => Promise<void>,
 * }} surroundings `notes` has a table of its own, because notes change often and are not configuration. `userOf` reads the
 *   access token, `end` deletes the row
 */
export function sessionFactory({ notes, userOf, end }) {
  /** @param {SessionRow} record @param {import('hydrant').HydrationContext} context */
  async function create({ id, initialize }, { onDispose }) {
    const server = new McpServer({ name: 'notes', version: '1.0.0' });
    server.registerTool(
      'remember',
      { description: 'Keeps a note', inputSchema: z.object({ note: z.string() }) },
      async ({ note }) => {
        await notes.add(id, note);
        return { content: [{ type: 'text', text: 'kept' }] };
      },
    );
    server.registerTool('recall', { description: 'Lists the notes' }, async () => ({
      content: [{ type: 'text', text: (await notes.of(id)).join(', ') }],
    }));
    const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: () => id });
    await server.connect(transport);
    onDispose(() => server.close());
    // The client has initialized the session, on this replica or another one. Repeat its message.
    const welcome = await say(transport, { jsonrpc: '2.0', id: 0, method: 'initialize', params: initialize });
    await say(transport, { jsonrpc: '2.0', method: 'notifications/initialized' }, id);
    return { transport, welcome: welcome.result };
  }

  /** @satisfies {import('hydrant').InstanceFactory<SessionRow, Awaited<ReturnType<typeof create>>>} */
  const factory = {
    create,
    // A session id is no password.
    authenticate: async (request, { record }) => await userOf(request) === record.user,

    async handleWebhook({ transport, welcome }, request, { record }) {
      if (request.method === 'DELETE') {
        await end(record.id);
        return new Response();
      }
      const message = await request.clone().json();
      if (message.method !== 'initialize') return transport.handleRequest(request);
      return Response.json({ jsonrpc: '2.0', id: message.id, result: welcome }, { headers: { 'mcp-session-id': record.id } });
    },
  };
  return factory;
}

/** @param {WebStandardStreamableHTTPServerTransport} transport @param {unknown} message @param {string} [session] */
async function say(transport, message, session) {
  const response = await transport.handleRequest(
    new Request('http://replay/', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session && { 'mcp-session-id': session }),
      },
      body: JSON.stringify(message),
    }),
  );
  const text = await response.text();
  if (!response.ok) throw new Error(`the session could not be taken up: ${text}`);
  const [, data] = /^data: (.*)$/m.exec(text) ?? [];
  return data === undefined ? undefined : JSON.parse(data);
}
