import type { PGlite } from '@electric-sql/pglite';
import { PostgresStore, type PostgresStoreOptions } from 'hydrant/postgres';
import { ManualClock, settle } from 'hydrant/testing';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emptyPglite, PgliteListener, startPglite } from './support/pglite.js';

interface Row { readonly n?: number }
interface Heard { ids: string[]; payloads: number; gaps: number }

let db: PGlite;
beforeAll(async () => { await startPglite(); }, 60_000);
beforeEach(async () => {
  db = await emptyPglite();
  await store().migrate();
});

function store(options: Partial<PostgresStoreOptions<Row>> = {}): PostgresStore<Row> {
  return new PostgresStore<Row>({ client: db, listenClient: () => new PgliteListener(db), clock: new ManualClock(), ...options });
}

/** The hints while `work` runs. */
async function told(work: () => Promise<unknown>, listening = store()): Promise<Heard> {
  const heard: Heard = { ids: [], payloads: 0, gaps: -1 };
  const subscription = await listening.watch?.({
    changed(ids) {
      heard.ids.push(...ids);
      heard.payloads += 1;
    },
    gap: () => { heard.gaps += 1; },
  });
  await work();
  await settle();
  await subscription?.[Symbol.asyncDispose]();
  return { ...heard, ids: heard.ids.toSorted() };
}
const insert = (ids: string) => db.exec(`insert into hydrant_connections (id) select ${ids}`);

describe('hints from PostgreSQL', () => {
  test('each change is announced with its id', async () => {
    const one = { ids: ['acme'], payloads: 1, gaps: 0 };
    expect(await told(() => store().put({ id: 'acme', n: 1 }))).toEqual(one);
    expect(await told(() => store().put({ id: 'acme', n: 2 }))).toEqual(one);
    expect(await told(() => store().put({ id: 'acme', n: 2, status: 'stopped' }))).toEqual(one);
    expect(await told(() => store().touch('acme'))).toEqual(one);
    expect(await told(() => store().delete('acme'))).toEqual(one);
  });

  test('a write without a change is not announced', async () => {
    await insert(`'acme'`);
    expect(await told(async () => {
      await store().put({ id: 'acme' });
      await db.exec(`update hydrant_connections set status = 'active'; delete from hydrant_connections where id = 'other'`);
      await insert(`'none' where false`);
    })).toEqual({ ids: [], payloads: 0, gaps: 0 });
  });

  test('a statement over many rows announces rows with a new version, and both ids of a changed id', async () => {
    await insert(`'c' || n from generate_series(1, 5) n`);
    expect((await told(() => db.exec(`update hydrant_connections set data = '{"n":2}' where id in ('c2', 'c3')`))).ids).toEqual([
      'c2',
      'c3',
    ]);
    expect((await told(() => db.exec(`update hydrant_connections set id = 'renamed' where id = 'c4'`))).ids).toEqual([
      'c4',
      'renamed',
    ]);
    expect((await told(() => db.exec(`delete from hydrant_connections where id in ('c1', 'c2')`))).ids).toEqual(['c1', 'c2']);
  });

  test('many ids go into as few payloads as possible', async () => {
    const { ids, payloads, gaps } = await told(() => insert(`'connection ' || n from generate_series(1, 2000) n`));
    expect(new Set(ids).size).toBe(2_000);
    expect(ids).toHaveLength(2_000);
    const [bytesOfAPayload, bytesOfAnId] = [7_900, 18];
    const fewest = Math.ceil((2_000 * bytesOfAnId) / bytesOfAPayload);
    expect(payloads).toBeGreaterThanOrEqual(fewest);
    expect(payloads).toBeLessThanOrEqual(fewest + 1);
    expect(gaps).toBe(0);
  });

  test('truncate is a gap, and so is an id too long for a payload; the other ids are announced', async () => {
    await insert(`'acme'`);
    expect(await told(() => db.exec('truncate hydrant_connections'))).toEqual({ ids: [], payloads: 0, gaps: 1 });
    expect(await told(() => insert(`unnest(array['acme', repeat(E'\\x01', 2000)])`))).toEqual({
      ids: ['acme'],
      payloads: 1,
      gaps: 1,
    });
  });

  test('ids arrive unchanged, whatever characters they have', async () => {
    const odd = ['"', '\\', "'", ',', '[]', '🙂', '\n', '\u0001'].toSorted();
    expect((await told(() => db.query('insert into hydrant_connections (id) select unnest($1::text[])', [odd]))).ids).toEqual(
      odd,
    );
  });

  test('a change that is rolled back is never announced', async () => {
    expect((await told(() => db.exec(`begin; insert into hydrant_connections (id) values ('acme'); rollback`))).ids).toEqual([]);
  });

  test('a channel of its own gets hints of its own table only', async () => {
    const other = store({ table: 'elsewhere', channel: 'it\'s "mine"' });
    await other.migrate();
    expect((await told(() => insert(`'acme'`), other)).ids).toEqual([]);
    expect((await told(() => other.put({ id: 'acme' }), other)).ids).toEqual(['acme']);
    expect((await told(() => other.put({ id: 'acme', n: 2 }))).ids).toEqual([]);
  });

  test('without a list of columns, a change of any column is announced, even beside one named like the table', async () => {
    await db.exec(`create table bots (id text primary key, bots text, n int, note json); insert into bots values ('acme')`);
    const mapped = store({ table: 'bots', stopped: 'false', mapRow: ({ n }) => ({ n: n as number }) });
    await mapped.migrate();
    for (const change of [`bots = 'x'`, 'n = 1', `note = '{}'`]) {
      expect((await told(() => db.exec(`update bots set ${change}`), mapped)).ids).toEqual(['acme']);
      expect((await told(() => db.exec(`update bots set ${change}`), mapped)).ids).toEqual([]);
    }
  });
});
