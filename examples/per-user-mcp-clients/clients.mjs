import { Client, SdkHttpError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { ConnectionRegistry } from 'hydrant';

/**
 * Makes a connected client of the row of a grant.
 *
 * @typedef {import('hydrant').ConnectionRecord & { url: string, accessToken: string }} GrantRow the id is
 *   `user:server`; refreshing the token writes the row
 */
export const grantFactory = {
  /** @param {GrantRow} record @param {import('hydrant').HydrationContext} context */
  async create({ url, accessToken }, { signal, retire, onDispose }) {
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { authorization: `Bearer ${accessToken}` } },
    });
    // The session-less protocol where the server speaks it, otherwise an older one.
    const client = new Client({ name: 'assistant', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
    onDispose(async () => {
      if (transport.sessionId !== undefined) await transport.terminateSession().catch(() => {}); // only a courtesy
      await client.close();
    });
    // The SDK's first request takes no signal, so an aborted start closes the transport.
    signal.addEventListener('abort', () => void transport.close(), { once: true });
    client.onclose = () => retire(new Error('the connection was closed'));
    await client.connect(transport, { signal });
    const { tools } = await client.listTools(undefined, { signal });
    return { client, tools };
  },
};

/**
 * An MCP client per user and server, connected with that user's access token.
 * @param {{ store: import('hydrant').ConnectionStore<GrantRow> } & import('hydrant').RegistryTuning} options
 */
export function createClients({ store, ...tuning }) {
  const registry = new ConnectionRegistry({ store, factory: grantFactory, idleTimeoutMs: 15 * 60_000, ...tuning });

  return {
    registry,
    /** @param {string} grant */
    tools: (grant) => registry.use(grant, ({ tools }) => tools.map(({ name }) => name)),
    /**
     * Calls a tool on a user's behalf.
     *
     * @param {string} grant
     * @param {string} name
     * @param {Record<string, unknown>} [input]
     */
    call: (grant, name, input = {}) => registry.use(grant, async ({ client }, lease) => {
      try {
        return await client.callTool({ name, arguments: input }, { signal: lease.signal });
      } catch (error) {
        // The token has expired, or the server has forgotten the session. No later caller may get this client.
        if (error instanceof SdkHttpError && (error.status === 401 || error.status === 404)) lease.retire(error);
        throw error;
      }
    }),
  };
}
