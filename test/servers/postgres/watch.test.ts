import pg from 'pg';
import { PostgresStore } from 'hydrant/postgres';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { databaseForTests } from '../support/databases.js';

const database = databaseForTests();
const { pool } = database;
let store: PostgresStore<{ n: number }>;

beforeAll(async () => {
  store = new PostgresStore<{ n: number }>({
    client: pool,
    listenClient: () => new pg.Client({ connectionString: database.url }),
  });
  await store.migrate();
});
beforeEach(() => pool.query('truncate hydrant_connections'));

/** Everything told while `work` runs and until the marker that follows it arrives. */
async function told(work: () => Promise<unknown>): Promise<{ ids: string[]; calls: number; gaps: number }> {
  const heard = { ids: [] as string[], calls: 0, gaps: -1 };
  let marked: (() => void) | undefined;
  const marker = new Promise<void>((resolve) => { marked = resolve; });
  await using _subscription = await store.watch?.({
    changed(ids) {
      if (ids.includes('the marker')) return marked?.();
      heard.ids.push(...ids);
      heard.calls += 1;
    },
    gap: () => void (heard.gaps += 1),
  }) ?? { async [Symbol.asyncDispose]() {} };
  await work();
  await store.put({ id: 'the marker', n: Math.random() });
  await marker;
  return heard;
}

describe('hints from PostgreSQL', () => {
  test('one statement over many rows announces every id, in payloads below the limit', async () => {
    const { ids, calls } = await told(() =>
      pool.query(`insert into hydrant_connections (id) select 'connection ' || n from generate_series(1, 20000) n`),
    );
    expect(new Set(ids).size).toBe(20_000);
    expect(ids).toHaveLength(20_000);
    expect(calls).toBeGreaterThan(40);
    expect(calls).toBeLessThan(100);
  });

  test('an update announces only rows with a new version, a delete the deleted rows', async () => {
    await pool.query(`insert into hydrant_connections (id, data) select 'c' || n, '{"n":1}' from generate_series(1, 10) n`);
    expect(
      (
        await told(() =>
          pool.query(`update hydrant_connections set data = jsonb_build_object('n', case when id = 'c3' then 2 else 1 end)`),
        )
      ).ids,
    ).toEqual(['c3']);
    expect((await told(() => pool.query(`update hydrant_connections set status = 'active'`))).ids).toEqual([]);
    expect((await told(() => pool.query(`delete from hydrant_connections where id in ('c1', 'c2')`))).ids.toSorted()).toEqual([
      'c1',
      'c2',
    ]);
    expect(
      (await told(() => pool.query(`update hydrant_connections set id = 'renamed' where id = 'c4'`))).ids.toSorted(),
    ).toEqual(['c4', 'renamed']);
  });

  test('a change that is rolled back is never announced, one that is committed only after the commit', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { ids } = await told(async () => {
      await client.query(`begin; insert into hydrant_connections (id) values ('rolled back'); rollback`);
      await client.query(`begin; insert into hydrant_connections (id) values ('committed')`);
      await new Promise((resolve) => { setTimeout(resolve, 50); });
      await client.query('commit');
    });
    await client.end();
    expect(ids).toEqual(['committed']);
  });

  test('truncate, and an id too long for a payload, are gaps', async () => {
    await store.put({ id: 'x', n: 1 });
    expect(await told(() => pool.query('truncate hydrant_connections'))).toEqual({ ids: [], calls: 0, gaps: 1 });
    expect(await told(() => store.put({ id: 'y'.repeat(2_500) + '\u0001'.repeat(1_000), n: 1 }))).toEqual({
      ids: [],
      calls: 0,
      gaps: 1,
    });
  });

  test('ids arrive unchanged, whatever characters they have', async () => {
    const odd = ['"', '\\', "'", ',', '[]', '🙂', '\n', '\u0001'];
    expect(
      (await told(() => pool.query('insert into hydrant_connections (id) select unnest($1::text[])', [odd]))).ids.toSorted(),
    ).toEqual(odd.toSorted());
  });
});
