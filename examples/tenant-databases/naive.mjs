import { LRUCache } from 'lru-cache';
import pg from 'pg';

/**
 * What people write: an LRU cache of pools that ends what falls out of it, whoever is using it.
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
     * @param {(pool: pg.Pool) => Promise<T>} work
     */
    use(tenant, work) {
      let pool = pools.get(tenant);
      if (pool === undefined) {
        pool = new pg.Pool({ connectionString: urlOf(tenant), max: 2 });
        pools.set(tenant, pool);
      }
      return work(pool);
    },
    async close() { pools.clear(); },
  };
}
