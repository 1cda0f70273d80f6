import { drizzle } from 'drizzle-orm/node-postgres';
import { LRUCache } from 'lru-cache';
import pg from 'pg';

/**
 * The common first attempt: an LRU cache of pools. It ends a pool that it evicts, even while the pool is in use.
 *
 * @param {{ urlOf: (tenant: string) => string, maxInstances: number }} options
 */
export function createNaiveTenants({ urlOf, maxInstances }) {
  /** @type {LRUCache<string, pg.Pool>} */
  const pools = new LRUCache({ max: maxInstances, dispose: (pool) => void pool.end() });
  return {
    /**
     * @template T
     * @param {string} tenant
     * @param {(db: import('drizzle-orm/node-postgres').NodePgDatabase) => Promise<T>} work
     */
    use(tenant, work) {
      let pool = pools.get(tenant);
      if (pool === undefined) {
        pool = new pg.Pool({ connectionString: urlOf(tenant), max: 2 });
        pools.set(tenant, pool);
      }
      return work(drizzle(pool));
    },
    async close() { pools.clear(); },
  };
}
