import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PostgresClaims } from 'hydrant/postgres';
import { claimConformance } from 'hydrant/testing';
import type { ReleasedClaim } from '../../../src/exclusive/claims/contract.js';
import { createDatabase, openPool, type TestDatabase } from '../support/databases.js';

let database: TestDatabase;
let pool: pg.Pool;
let others: pg.Pool;

beforeAll(async () => {
  database = await createDatabase();
  pool = openPool(database.url);
  others = openPool(database.url);
  await new PostgresClaims({ client: pool }).migrate();
});

afterAll(async () => {
  await Promise.all([pool.end(), others.end()]);
  await database[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await pool.query('truncate hydrant_claims, hydrant_claims_replicas');
});

const pgLike = { query: async () => ({ rows: [] }) };
const listenClient = (): pg.Client => new pg.Client({ connectionString: database.url });

claimConformance({ describe, it: test }, (settings) => ({
  claims: new PostgresClaims({ client: pool, listenClient, ...settings }),
  others: new PostgresClaims({ client: others, listenClient, ...settings }),
  wait: (ms) => sleep(ms),
  rows: async () => (await pool.query('select from hydrant_claims')).rowCount!,
  // A machine that runs every other test at once may stand still for some hundred milliseconds.
}), { watch: true, ttlMs: 1_000, forgets: true });

describe('PostgresClaims', () => {
  const request = { replica: 'a', ttlMs: 60_000, ids: ['c1', 'c2', 'c3'], limit: 3, freeForMs: 0 };

  test('reports a claim that is locked by others neither as lost nor as renewed, and does not wait for it', async () => {
    const claims = new PostgresClaims({ client: pool });
    const held = await claims.claim(request);
    const locker = await others.connect();
    try {
      await locker.query('begin');
      await locker.query("select 1 from hydrant_claims where connection_id = 'c2' for update");
      const { renewed, lost } = await claims.renew({ replica: 'a', ttlMs: 60_000, member: true, load: 3, held });
      expect(renewed.toSorted()).toEqual(['c1', 'c3']);
      expect(lost).toEqual([]);
    } finally {
      await locker.query('rollback');
      locker.release();
    }
  });

  test('claims another row instead of waiting for a locked one', async () => {
    const claims = new PostgresClaims({ client: pool });
    await claims.release({ replica: 'a', claims: await claims.claim(request), leave: false });
    const locker = await others.connect();
    try {
      await locker.query('begin');
      await locker.query("select 1 from hydrant_claims where connection_id = 'c1' for update");
      const taken = await claims.claim({ ...request, replica: 'b', limit: 2 });
      expect(taken.map(({ id }) => id).toSorted()).toEqual(['c2', 'c3']);
    } finally {
      await locker.query('rollback');
      locker.release();
    }
  });

  test('hands an offer out at once, however long freeForMs is, to the replica that it names', async () => {
    const claims = new PostgresClaims({ client: pool });
    const ids = ['offered', 'withheld', 'free'];
    const taken = await claims.claim({ ...request, ids });
    const offers = {
      offered: { to: 'b', forMs: 60_000 }, withheld: { notTo: 'c', forMs: 60_000 }, free: undefined,
    } as Record<string, ReleasedClaim['offer']>;
    const given = taken.map(({ id, token }) => ({ id, token, offer: offers[id] }));
    await claims.release({ replica: 'a', claims: given, leave: false });
    expect(await claims.claim({ ...request, replica: 'c', ids, freeForMs: 30_000 })).toEqual([]);
    expect(await claims.claim({ ...request, replica: 'b', ids, freeForMs: 30_000 })).toMatchObject([{ id: 'offered' }]);
    expect((await claims.claim({ ...request, replica: 'b', ids })).map(({ id }) => id).toSorted()).toEqual(['free', 'withheld']);
  });

  test('lets tokens rise even if the sequence is set back', async () => {
    const claims = new PostgresClaims({ client: pool });
    const [first] = await claims.claim({ ...request, ids: ['c1'] });
    await claims.release({ replica: 'a', claims: [first!], leave: false });
    await pool.query("select setval('hydrant_claims_token_seq', 1)");
    const [second] = await claims.claim({ ...request, ids: ['c1'] });
    expect(second!.token).toBeGreaterThan(first!.token);
    await pool.query("select setval('hydrant_claims_token_seq', (extract(epoch from clock_timestamp()) * 1000)::bigint)");
  });

  test('keeps the row of a released claim, and forgets replicas that have been gone for a day', async () => {
    const claims = new PostgresClaims({ client: pool });
    await claims.release({ replica: 'a', claims: await claims.claim(request), leave: true });
    expect((await pool.query('select 1 from hydrant_claims')).rows).toHaveLength(3);
    await pool.query(
      `insert into hydrant_claims_replicas values
        ('long gone', 0, now() - interval '2 days'), ('just gone', 0, now() - interval '1 hour')`,
    );
    await claims.renew({ replica: 'b', ttlMs: 1_000, member: true, load: 0, held: [] });
    const { rows } = await pool.query('select replica from hydrant_claims_replicas order by 1');
    expect(rows).toEqual([{ replica: 'b' }, { replica: 'just gone' }]);
  });

  test('renews 1000 claims without writing an index', async () => {
    const claims = new PostgresClaims({ client: pool });
    const held = await claims.claim({ ...request, ids: Array.from({ length: 1_000 }, (_, n) => `c${n}`), limit: 1_000 });
    const updates = async (): Promise<{ all: number; hot: number }> => {
      const connection = await pool.connect();
      try {
        await connection.query('select pg_stat_force_next_flush()');
        const { rows } = await connection.query(
          "select n_tup_upd::int as all, n_tup_hot_upd::int as hot from pg_stat_user_tables where relname = 'hydrant_claims'",
        );
        return rows[0] as { all: number; hot: number };
      } finally {
        connection.release();
      }
    };
    /**
     * Waits until every transaction of the server that runs now has ended, also those of other tests. While one lasts,
     * PostgreSQL keeps the old versions of rows, and they fill the pages.
     */
    const untilOthersHaveEnded = async (): Promise<void> => {
      const { rows: [{ next }] } = await pool.query('select pg_snapshot_xmax(pg_current_snapshot())::text as next');
      await expect.poll(async () => {
        const { rows } = await pool.query('select pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 as ended', [next]);
        return rows[0].ended as boolean;
      }).toBe(true);
    };
    /** Renews from a connection of its own: PostgreSQL flushes what a session counted when it ends. */
    const shareWithoutIndex = async (): Promise<number> => {
      const session = new pg.Client({ connectionString: database.url });
      await session.connect();
      const own = new PostgresClaims({ client: session });
      const before = await updates();
      for (let beat = 0; beat < 5; beat += 1) {
        await untilOthersHaveEnded();
        await own.renew({ replica: 'a', ttlMs: 60_000, member: true, load: 1_000, held });
      }
      await session.end();
      await expect.poll(async () => (await updates()).all - before.all).toBe(5_000);
      const after = await updates();
      return (after.hot - before.hot) / 5_000;
    };
    // With an index on what is written this is 0. The pages fill up while a vacuum looks on, so one round of several must
    // show it.
    const shares: number[] = [];
    while (shares.length < 4 && Math.max(...shares) <= 0.7) shares.push(await shareWithoutIndex());
    expect(Math.max(...shares)).toBeGreaterThan(0.7);
  });

  test('migrates once, from many replicas at a time, and down leaves nothing behind', async () => {
    await pool.query('create schema elsewhere');
    const table = 'elsewhere.my claims';
    await Promise.all([pool, others, pool, others].map((client) => new PostgresClaims({ client, table }).migrate()));
    const claims = new PostgresClaims({ client: pool, table });
    expect(await claims.claim(request)).toHaveLength(3);
    await claims.migrate();
    expect((await pool.query('select 1 from elsewhere."my claims"')).rows).toHaveLength(3);
    const { up, down } = PostgresClaims.migrationSql({ table });
    await pool.query(down);
    const left = await pool.query("select relname from pg_class where relnamespace = 'elsewhere'::regnamespace");
    expect(left.rows).toEqual([]);
    await pool.query(up);
    expect(await claims.claim(request)).toHaveLength(3);
  });

  test.each([
    { options: { client: {} }, message: 'client: expected an object with query(text, values), got an object' },
    { options: { client: pgLike, table: 'a.b.c' }, message: 'table: expected \'table\' or \'schema.table\', got "a.b.c"' },
    { options: { client: pgLike, table: '' }, message: 'table: expected \'table\' or \'schema.table\', got ""' },
    {
      options: { client: pgLike, listenClient: 'x' },
      message: 'listenClient: expected a function that makes a connection, got a string',
    },
  ])('refuses wrong options: $options', ({ options, message }) => {
    expect(() => new PostgresClaims(options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: `PostgresClaims: ${message}` }),
    );
  });
});
