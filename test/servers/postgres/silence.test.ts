import pg from 'pg';
import { ConnectionRegistry } from 'hydrant';
import { PostgresStore } from 'hydrant/postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { startProxy, type Proxy } from '../exclusive/chaos/proxy.mjs';

let database: TestDatabase;
let proxy: Proxy;
let url: string;
beforeAll(async () => {
  database = await createDatabase();
  const direct = new URL(database.url);
  proxy = await startProxy(Number(direct.port), direct.hostname);
  direct.port = String(proxy.port);
  url = direct.href;
});
afterAll(async () => {
  proxy.close();
  await database[Symbol.asyncDispose]();
});

/** Fills a pool with idle connections, and silences all of them. */
async function silenced(pool: pg.Pool): Promise<number> {
  const connections = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
  for (const connection of connections) connection.release();
  return proxy.silence();
}

describe('when every connection to PostgreSQL goes silent without a reset', () => {
  test.each([2, 10])('a store on pg.Pool({ max: %i }) answers again after one deadline', async (max) => {
    const pool = new pg.Pool({ connectionString: url, max });
    const store = new PostgresStore<{ n: number }>({ client: pool, queryTimeoutMs: 300 });
    await store.migrate();
    await store.put({ id: 'acme', n: 1 });
    expect(await silenced(pool)).toBe(max);
    await expect(store.get('acme')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await store.get('acme')).toMatchObject({ n: 1 });
    expect((await store.getVersions(['acme'])).size).toBe(1);
    await pool.end();
  });

  test('strict uses of a registry go on after one storeTimeoutMs, and no connection stays checked out', async () => {
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    const store = new PostgresStore<{ n: number }>({ client: pool });
    await store.put({ id: 'acme', n: 1 });
    await using registry = new ConnectionRegistry({
      store,
      factory: { create: ({ id }) => id },
      storeTimeoutMs: 300,
      acquireTimeoutMs: 2_000,
      sweepIntervalMs: 0,
    });
    registry.on('storeFailed', () => {});
    await registry.use('acme', () => {});
    await silenced(pool);
    await Promise.allSettled(Array.from({ length: 50 }, () => registry.use('acme', () => {})));
    for (let n = 0; n < 5; n += 1) await registry.use('acme', () => {});
    await expect.poll(() => pool.totalCount - pool.idleCount).toBe(0);
    await pool.end();
  });

  test('reads of a store without time-outs do not pile up, and uses go on once a connection answers', async () => {
    const [silent, uses] = [34, 500];
    const behind = new URL(database.url);
    const network = await startProxy(Number(behind.port), behind.hostname);
    behind.port = String(network.port);
    const pool = new pg.Pool({ connectionString: behind.href, max: 100 });
    pool.on('error', () => {});
    pool.on('connect', (client) => client.on('error', () => {}));
    const connections = await Promise.all(Array.from({ length: silent }, () => pool.connect()));
    for (const connection of connections) connection.release();
    let unsettled = 0;
    const get = async (id: string) => {
      unsettled += 1;
      try {
        return (await pool.query<{ id: string; version: string; status: 'active' }>(
          `select $1::text as id, '1' as version, 'active' as status`, [id],
        )).rows[0];
      } finally {
        unsettled -= 1;
      }
    };
    await using registry = new ConnectionRegistry({
      store: { get },
      factory: { create: ({ id }) => id },
      storeTimeoutMs: 3_000,
      acquireTimeoutMs: 60_000,
      maxQueuedHydrations: uses,
    });
    registry.on('storeFailed', () => {});
    expect(network.silence()).toBe(silent);
    const results = await Promise.allSettled(Array.from({ length: uses }, (_, n) => registry.use(`c${n}`, () => {})));
    // 32 at once, then one at a time until the pool makes a new connection.
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(silent);
    expect(unsettled).toBe(silent);
    expect(registry.snapshot().reads).toEqual({ inFlight: 0, abandoned: silent });
    network.close();
    await expect.poll(() => registry.snapshot().reads.abandoned).toBe(0);
    await pool.end();
  }, 60_000);

  test('a subscription hears again, and leaves no query behind', async () => {
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    const store = new PostgresStore<{ n: number }>({
      client: pool, listenClient: () => new pg.Client({ connectionString: url }),
      watch: { pingIntervalMs: 100, timeoutMs: 200, backoff: { initialMs: 10, maxMs: 50 } },
    });
    const heard: string[] = [];
    let gaps = 0;
    const subscription = await store.watch!({ changed: (ids) => { heard.push(...ids); }, gap: () => { gaps += 1; } });
    await silenced(pool);
    await expect.poll(() => gaps, { timeout: 5_000 }).toBe(2);
    const other = new PostgresStore<{ n: number }>({ client: pool });
    await other.put({ id: 'acme', n: Math.random() });
    await expect.poll(() => heard).toContain('acme');
    await subscription[Symbol.asyncDispose]();
    await expect.poll(() => pool.totalCount - pool.idleCount).toBe(0);
    await pool.end();
  });
});

test('a backend that is terminated in the middle of a query fails that query and nothing else', async () => {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on('error', () => {});
  const store = new PostgresStore({ client: pool });
  await store.migrate();
  const blocker = new pg.Client({ connectionString: database.url });
  await blocker.connect();
  await blocker.query('begin; lock hydrant_connections');
  const read = store.get('none').then(() => 'answered', () => 'failed');
  await expect.poll(async () => (await pool.query(`select pg_terminate_backend(pid) as ended from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database()`)).rows.length).toBe(1);
  expect(await read).toBe('failed');
  await blocker.end();
  expect(await store.get('none')).toBeUndefined();
  await pool.end();
});
