import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { ConnectionRegistry } from 'hydrant';

/**
 * A Drizzle database over a `pg` pool for each tenant. There may be any number of tenants. The number of open pools is
 * bounded.
 *
 * @typedef {import('hydrant').ConnectionRecord & { url: string }} TenantRow
 * @typedef {import('drizzle-orm/node-postgres').NodePgDatabase & { $client: pg.Pool }} TenantDatabase
 * @typedef {Parameters<Parameters<TenantDatabase['transaction']>[0]>[0]} TenantTransaction
 *
 * @param {{ store: import('hydrant').ConnectionStore<TenantRow>, connectionsPerTenant?: number,
 *   connectTimeoutMs?: number }
 *   & import('hydrant').RegistryTuning} options at most `maxInstances` × `connectionsPerTenant` connections are open
 */
export function createTenants({ store, connectionsPerTenant = 2, connectTimeoutMs = 5_000, ...tuning }) {
  const registry = new ConnectionRegistry({
    store,
    factory: {
      /** @param {TenantRow} record @param {import('hydrant').HydrationContext} context @returns {Promise<TenantDatabase>} */
      async create({ id, url }, { onDispose }) {
        const pool = new pg.Pool({
          connectionString: url,
          max: connectionsPerTenant,
          application_name: `tenant ${id}`,
          connectionTimeoutMillis: connectTimeoutMs, // without it, a server that never answers keeps the pool from ending
        });
        onDispose(() => endPool(pool));
        // The pool replaces a client that lost its server. Without a listener, the event would end the process.
        pool.on('error', (error) => console.error(`tenant ${id} lost an idle connection:`, error.message));
        await pool.query('select 1'); // a wrong password fails the hydrate, which backs off, and not every request
        return drizzle(pool);
      },
    },
    freshness: { maxStaleMs: 1_000 },
    ...tuning,
  });

  return {
    registry,
    /**
     * Runs `work` with the tenant's database. Do not keep the database: it may be closed once `work` has settled.
     *
     * @template T
     * @param {string} tenant
     * @param {(db: TenantDatabase) => Promise<T>} work
     */
    use: (tenant, work) => registry.use(tenant, work),
    /**
     * @template T
     * @param {string} tenant
     * @param {(tx: TenantTransaction) => Promise<T>} work
     * @returns {Promise<T>}
     */
    transaction: (tenant, work) => registry.use(tenant, (db) => db.transaction(work)),
  };
}

/** `pool.end` settles before its connections are closed. This waits for both. @param {pg.Pool} pool */
export async function endPool(pool) {
  let open = pool.totalCount;
  const closed = new Promise((resolve) => {
    if (open === 0) resolve(undefined);
    pool.on('remove', () => { if (--open === 0) resolve(undefined); });
  });
  await pool.end();
  await closed;
}
