/** 2 000 tenants on a real PostgreSQL: 10 pools and 50 requests at a time. `npm run build` first. */
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { startPostgres } from '../../test/servers/support/postgres.mjs';
import { createNaiveTenants } from './naive.mjs';
import { makeTenants, notes, tenantStore, urlOf } from './schemas.mjs';
import { createTenants, endPool } from './tenants.mjs';

const postgres = await startPostgres();
const rows = await makeTenants(postgres.url, 2_000);
console.log(`${rows.length} tenants`);

/**
 * Sends requests of two queries each, 50 at a time, each for a random tenant. A request that takes five seconds fails.
 *
 * @param {string} way
 * @param {(tenant: string, work: (db: import('drizzle-orm/node-postgres').NodePgDatabase) => Promise<string>)
 *   => Promise<string>} use
 */
async function measure(way, use) {
  let left = 300, failed = 0, wrong = 0;
  /** @param {string} tenant */
  const request = async (tenant) => {
    const text = await use(tenant, async (db) => {
      await db.execute(sql`select 1`);
      return (await db.select().from(notes))[0]?.text ?? '';
    });
    if (text !== `of tenant ${tenant.slice(1)}`) wrong++;
  };
  await Promise.all(Array.from({ length: 50 }, async () => {
    while (left-- > 0) {
      const tenant = `t${1 + Math.floor(rows.length * Math.random() ** 3)}`;
      const deadline = new AbortController();
      const late = delay(5_000, undefined, deadline).then(() => { throw new Error('no answer'); });
      await Promise.race([request(tenant), late]).catch(() => { failed++; });
      deadline.abort();
    }
  }));
  console.log(`${way}: ${failed === 0 ? 'no request failed' : 'requests failed'}, ${wrong} saw another tenant's rows`);
}

const naive = createNaiveTenants({ urlOf: (tenant) => urlOf(postgres.url, tenant), maxInstances: 10 });
await measure('an LRU cache of pools', naive.use);
await naive.close();
const own = new pg.Pool({ connectionString: postgres.url, max: 4 });
const tenants = createTenants({ store: tenantStore(drizzle(own)), maxInstances: 10 });
await measure('hydrant', tenants.use);
await tenants.registry.close();
await endPool(own);
await postgres.stop();
