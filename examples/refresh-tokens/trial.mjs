import pg from 'pg';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { startOAuthServer } from './oauth-server.mjs';
import { SCHEMA } from './tokens.mjs';

const REPLICAS = 2;

/**
 * Two replicas use the connections of all users at once, and every access token has expired.
 *
 * @param {string} databaseUrl
 * @param {(pool: pg.Pool, url: string) => import('./tokens.mjs').AccessTokenOf} way
 * @param {number} users
 */
export async function trial(databaseUrl, way, users) {
  const server = await startOAuthServer();
  const ids = Array.from({ length: users }, (_, n) => `user-${n}`);
  const pools = Array.from({ length: REPLICAS }, () => new pg.Pool({ connectionString: databaseUrl, max: 5 }));
  for (const pool of pools) {
    // The trial ends its server while connections are still closing.
    pool.on('error', () => {});
    pool.on('connect', (client) => { client.on('error', () => {}); });
  }
  const [admin] = pools;
  await admin?.query(SCHEMA);
  await admin?.query('truncate tokens');
  for (const id of ids) {
    const { access, refresh } = server.issue(id);
    await admin?.query('insert into tokens values ($1, $2, $3, true)', [id, access, refresh]);
  }
  const replicas = pools.map((pool) => {
    const accessTokenOf = way(pool, server.url);
    const registry = new ConnectionRegistry({
      store: new MemoryStore(ids.map((id) => ({ id }))),
      // Tokens are bookkeeping: they are read when an instance starts, and are no part of the row's version.
      factory: { secrets: ({ id }) => accessTokenOf(id), create: (_record, { secrets }) => ({ token: secrets }) },
    });
    registry.on('hydrationFailed', () => {});
    return registry;
  });
  const results = await Promise.allSettled(
    ids.flatMap((id) => replicas.map((registry) => registry.use(id, ({ token }) => token))),
  );
  for (const registry of replicas) await registry.close();
  for (const pool of pools) await pool.end();
  await server.close();
  return {
    lockedOut: server.lockedOut.size,
    refreshes: server.refreshes(),
    failedUses: results.filter(({ status }) => status === 'rejected').length,
  };
}
