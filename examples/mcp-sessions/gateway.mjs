import { randomUUID } from 'node:crypto';
import { ConnectionRegistry } from 'hydrant';
import { toNodeHandler } from 'hydrant/node';
import { sessionFactory } from './factory.mjs';

/**
 * One replica of an MCP server: a listener for `http.createServer`.
 *
 * @param {{
 *   store: import('hydrant').ConnectionStore<import('./factory.mjs').SessionRow>
 *     & { put(row: any): Promise<unknown>, delete(id: string): Promise<void> },
 *   notes: Parameters<typeof sessionFactory>[0]['notes'],
 *   userOf: (request: Request) => Promise<string | undefined>,
 * } & import('hydrant').RegistryTuning} options
 */
export function createReplica({ store, notes, userOf, ...tuning }) {
  const registry = new ConnectionRegistry({
    store,
    factory: sessionFactory({ notes, userOf, end: (session) => store.delete(session) }),
    ...tuning,
  });

  /** @param {Request} request */
  async function handle(request) {
    // A stream that a server may write to at any time would be bound to one replica. It is optional, and 405 declines it.
    if (request.method === 'GET') return new Response(null, { status: 405 });
    const session = request.headers.get('mcp-session-id');
    // Unknown and ended sessions are answered with 404, which tells a client to begin a new one.
    if (session !== null) return registry.handleWebhook(session, request);
    return begin(request);
  }

  /** @param {Request} request */
  async function begin(request) {
    const user = await userOf(request);
    if (user === undefined) return new Response(null, { status: 401 });
    const message = await request.clone().json();
    if (message?.method !== 'initialize') return new Response(null, { status: 400 });
    const id = randomUUID();
    await store.put({ id, user, initialize: message.params });
    return registry.handleWebhook(id, request);
  }

  return { listener: toNodeHandler(handle), registry };
}
