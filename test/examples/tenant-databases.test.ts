import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore } from 'hydrant';
import { startPostgres } from '../servers/support/postgres.mjs';
import { eventually, example } from './support.js';

const { createTenants, endPool } = await example('tenant-databases/tenants.mjs');
const { makeTenants, notes, tenantStore } = await example('tenant-databases/schemas.mjs');

describe('examples/tenant-databases', () => {
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  let admin: pg.Client;
  let rows: { id: string; url: string }[];
  let store: MemoryStore<{ id: string; url: string }>;
  let tenants: any;

  beforeAll(async () => {
    postgres = await startPostgres();
    rows = await makeTenants(postgres.url, 2_000);
    admin = new pg.Client({ connectionString: postgres.url });
    await admin.connect();
  }, 120_000);
  afterAll(async () => {
    await admin.end();
    await postgres.stop();
  });
  beforeEach(() => {
    store = new MemoryStore(rows);
    tenants = createTenants({ store, maxInstances: 10, freshness: 'strict' });
  });
  afterEach(async () => {
    await tenants.registry.close();
    expect(await openConnections()).toBe(0);
  });

  const openConnections = async (): Promise<number> => {
    const {
      rows: [row],
    } = await admin.query(`select count(*)::int as count from pg_stat_activity where application_name like 'tenant %'`);
    return row.count;
  };
  const textOf = (tenant: string): Promise<string> =>
    tenants.use(tenant, async (db: any) => (await db.select().from(notes))[0].text);

  test('gives each of two thousand tenants its own rows, over ten pools', { timeout: 120_000 }, async () => {
    for (let from = 0; from < rows.length; from += 500) {
      const some = rows.slice(from, from + 500);
      expect(await Promise.all(some.map(({ id }) => textOf(id)))).toEqual(some.map(({ id }) => `of tenant ${id.slice(1)}`));
    }
    expect(tenants.registry.snapshot().live).toBeLessThanOrEqual(10);
    await eventually(openConnections).toBeLessThanOrEqual(20);
  });

  test('ends no pool under a running query: not by eviction, edit, invalidation or deletion', async () => {
    await admin.query('select pg_advisory_lock(7)');
    const slow = tenants.use('t1', async (db: any) => {
      await db.execute(sql`select pg_advisory_lock(7)`);
      return (await db.select().from(notes))[0].text;
    });
    const isRunning = (): Promise<number> =>
      admin.query(`select 1 from pg_stat_activity where wait_event = 'advisory'`).then(({ rowCount }) => rowCount ?? 0);
    await eventually(isRunning).toBe(1);
    await Promise.all(rows.slice(10, 60).map(({ id }) => textOf(id)));
    tenants.registry.invalidate('t1');
    expect(await textOf('t1')).toBe('of tenant 1');
    await store.put({ id: 't1', url: `${rows[0]?.url}&application_name=x` });
    expect(await textOf('t1')).toBe('of tenant 1');
    await store.delete('t1');
    await expect(textOf('t1')).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
    expect(await isRunning()).toBe(1);
    await admin.query('select pg_advisory_unlock(7)');
    expect(await slow).toBe('of tenant 1');
  });

  test('serves hundreds of requests at a time over ten pools, while rows change, without one error', async () => {
    let left = 600;
    const worker = async (index: number): Promise<void> => {
      for (let turn = index; left > 0; turn += 7) {
        left -= 1;
        const { id } = rows[(turn * turn) % rows.length] as { id: string };
        if (turn % 5 === 0) await store.put(rows.find((row) => row.id === id) as { id: string; url: string });
        expect(await tenants.transaction(id, async (tx: any) => {
          await tx.execute(sql`select 1`);
          return (await tx.select().from(notes))[0].text;
        })).toBe(`of tenant ${id.slice(1)}`);
      }
    };
    await Promise.all(Array.from({ length: 40 }, (_, index) => worker(index)));
  }, 120_000);

  test('pauses for a tenant whose database does not answer, and affects no other', async () => {
    tenants.registry.on('hydrationFailed', () => {});
    await store.put({ id: 'broken', url: 'postgres://nobody@127.0.0.1:1/none' });
    await expect(textOf('broken')).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    expect(await textOf('t2')).toBe('of tenant 2');
  });

  test('reads its tenants from a table through Drizzle, and sees an edit', async () => {
    const pool = new pg.Pool({ connectionString: postgres.url, max: 2 });
    const own = createTenants({ store: tenantStore(drizzle(pool)), maxInstances: 10, freshness: 'strict' });
    const read = (): Promise<string> => own.use('t1', async (db: any) => (await db.select().from(notes))[0].text);
    expect(await read()).toBe('of tenant 1');
    await admin.query('update tenants set url = $1 where id = $2', [rows[1]?.url, 't1']);
    expect(await read()).toBe('of tenant 2');
    await admin.query('update tenants set url = $1 where id = $2', [rows[0]?.url, 't1']);
    await own.registry.close();
    await endPool(pool);
  });

  test('rolls back a transaction that fails', async () => {
    await expect(tenants.transaction('t3', async (tx: any) => {
      await tx.update(notes).set({ text: 'changed' });
      throw new Error('no');
    })).rejects.toThrow('no');
    expect(await textOf('t3')).toBe('of tenant 3');
  });

  test('gives up a server that accepts connections and never answers, and can close', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const own = createTenants({
      store: new MemoryStore([{ id: 'hanging', url: `postgres://nobody@127.0.0.1:${port}/none` }]), connectTimeoutMs: 200,
    });
    own.registry.on('hydrationFailed', () => {});
    await expect(own.use('hanging', async () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    await own.registry.close();
    silent.close();
  });
});
