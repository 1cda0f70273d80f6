import pg from 'pg';
import { ConnectionRegistry } from 'hydrant';

/**
 * A `pg` pool per tenant, for as many tenants as there are rows, and never more pools than the servers can bear.
 *
 * @typedef {import('hydrant').ConnectionRecord & { url: string }} TenantRow
 *
 * @param {{ store: import('hydrant').ConnectionStore<TenantRow>, connectionsPerTenant?: number }
 *   & import('hydrant').RegistryTuning} options `maxInstances` × `connectionsPerTenant` is the most that is open
 */
export function createTenants({ store, connectionsPerTenant = 2, ...tuning }) {
  const registry = new ConnectionRegistry({
    store,
    factory: {
      /** @param {TenantRow} record @param {import('hydrant').HydrationContext} context */
      async create({ id, url }, { onDispose }) {
        const pool = new pg.Pool({ connectionString: url, max: connectionsPerTenant, application_name: `tenant ${id}` });
        onDispose(() => end(pool));
        // The pool replaces a client whose server went away; without a listener the event would end the process.
        pool.on('error', (error) => console.error(`tenant ${id} lost an idle connection:`, error.message));
        await pool.query('select 1'); // a wrong password is a failed hydrate, and pauses, instead of a failed request
        return pool;
      },
    },
    freshness: { maxStaleMs: 1_000 },
    ...tuning,
  });

  return {
    registry,
    /**
     * Runs `work` with the tenant's pool. Keep the pool inside: once `work` has settled it may be ended.
     *
     * @template T
     * @param {string} tenant
     * @param {(pool: pg.Pool) => Promise<T>} work
     */
    use: (tenant, work) => registry.use(tenant, work),
    /**
     * @template T
     * @param {string} tenant
     * @param {(client: pg.PoolClient) => Promise<T>} work
     */
    transaction: (tenant, work) => registry.use(tenant, async (pool) => {
      const client = await pool.connect();
      try {
        await client.query('begin');
        const result = await work(client);
        await client.query('commit');
        return result;
      } catch (error) {
        await client.query('rollback');
        throw error;
      } finally {
        client.release();
      }
    }),
  };
}

/** `end` alone settles before the connections are closed. @param {pg.Pool} pool */
async function end(pool) {
  let open = pool.totalCount;
  const closed = new Promise((resolve) => {
    if (open === 0) resolve(undefined);
    pool.on('remove', () => { if (--open === 0) resolve(undefined); });
  });
  await pool.end();
  await closed;
}
