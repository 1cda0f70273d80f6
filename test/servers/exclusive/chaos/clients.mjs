// The clients of one replica. `documented` ones have the options that README shows and no others, because users have
// those; `tuned` ones have the drivers' own time-outs besides.
import { Redis } from 'ioredis';
import pg from 'pg';
import { createClient } from 'redis';

/** The harness ignores what drivers report about lost connections. */
const quiet = (client) => client.on('error', () => {});

/**
 * The claim store of `kind` at `url`: `'postgres'`, `'ioredis'` or `'node-redis'`.
 *
 * @param onWatchError - called when a subscription to hints is lost
 */
export async function claimStore({ kind, clients, url, prefix, ttlMs }, { PostgresClaims, RedisClaims }, onWatchError) {
  const timeout = Math.round(ttlMs / 3);
  const tuned = clients === 'tuned';
  const watch = {
    onWatchError,
    ...(tuned ? { watch: { pingIntervalMs: ttlMs, timeoutMs: timeout, backoff: { initialMs: 50, maxMs: timeout } } } : {}),
  };
  const stores = {
    async postgres() {
      const settings = { connectionString: url, ...(tuned ? { connectionTimeoutMillis: timeout, keepAlive: true } : {}) };
      const client = quiet(new pg.Pool({ ...settings, max: tuned ? 3 : 2, ...(tuned ? { query_timeout: timeout } : {}) }));
      return new PostgresClaims({ client, listenClient: () => new pg.Client(settings), ...watch });
    },
    async ioredis() {
      const settings = { commandTimeout: timeout, connectTimeout: timeout, maxRetriesPerRequest: null, retryStrategy: () => 50 };
      return new RedisClaims({ client: quiet(tuned ? new Redis(url, settings) : new Redis(url)), prefix, ...watch });
    },
    async 'node-redis'() {
      const settings = {
        socket: { connectTimeout: timeout, socketTimeout: timeout, reconnectStrategy: () => 50 },
        pingInterval: timeout / 2,
      };
      const client = quiet(createClient({ url, ...(tuned ? settings : {}) }));
      await client.connect();
      return new RedisClaims({ client, prefix, ...watch });
    },
  };
  return stores[kind]();
}
