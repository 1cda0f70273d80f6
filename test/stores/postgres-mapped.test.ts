import type { PGlite } from '@electric-sql/pglite';
import { PostgresStore, type PostgresClient, type PostgresStoreOptions } from 'hydrant/postgres';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emptyPglite, startPglite } from './support/pglite.js';

let db: PGlite;
beforeAll(async () => { await startPglite(); }, 60_000);
beforeEach(async () => { db = await emptyPglite(); });

/** A store whose table is migrated. */
async function migrated<D extends object>(options: Omit<PostgresStoreOptions<D>, 'client'> = {}): Promise<PostgresStore<D>> {
  const store = new PostgresStore<D>({ client: db, ...options });
  await store.migrate();
  return store;
}

describe('PostgresStore mapped onto a table that exists', () => {
  interface Bot { readonly platform: string }
  const mapping = {
    table: 'bots', columns: { config: ['platform'] }, where: 'deleted_at is null', softDelete: 'deleted_at = now()',
    mapRow({ platform, ...rest }) {
      if (typeof platform !== 'string') throw new TypeError('expected a platform');
      return { platform, columns: Object.keys(rest).join() };
    },
    toRow: ({ platform }) => ({ platform, deleted_at: null }),
  } satisfies Omit<PostgresStoreOptions<Bot>, 'client'>;
  const bots = (options: Partial<PostgresStoreOptions<Bot>> = {}) => migrated<Bot>({ ...mapping, ...options });

  beforeEach(async () => {
    await db.exec(
      `create table bots (id text primary key, platform text, status text not null default 'active', seen int,
        deleted_at timestamptz)`,
    );
  });

  test('mapRow gets the columns of the row and none of the store\'s own', async () => {
    const store = await bots();
    expect(await store.put({ id: 'acme', platform: 'slack' })).toEqual({
      id: 'acme',
      platform: 'slack',
      columns: 'id,status,seen,deleted_at',
      status: 'active',
      version: expect.any(String) as string,
    });
  });

  test('only the configuration and the status make another version, and a hidden row has none', async () => {
    const store = await bots();
    const version = async (change: string) => {
      await db.query(`update bots set ${change}`);
      return (await store.get('acme'))?.version;
    };
    const { version: first } = await store.put({ id: 'acme', platform: 'slack' });
    for (const change of ['seen = 1', `status = 'error'`, `platform = 'slack'`]) expect(await version(change)).toBe(first);
    const stopped = await version(`status = 'stopped'`);
    expect(await version('deleted_at = now()')).toBeUndefined();
    const revived = await version('deleted_at = null');
    expect(stopped).not.toBe(first);
    expect(revived, 'an unchanged row has its earlier version').toBe(stopped);
    expect(await version(`status = 'active'`)).toBe(first);
    expect([first, stopped]).not.toContain(await version(`platform = 'x'`));
  });

  test('deletes softly: a hidden row is neither read nor touched, and the next put revives it', async () => {
    const store = await bots();
    const first = await store.put({ id: 'acme', platform: 'slack' });
    await store.put({ id: 'other', platform: 'slack' });
    await store.delete('acme');
    expect(await store.get('acme')).toBeUndefined();
    expect((await store.getVersions(['acme'])).size).toBe(0);
    expect(await store.touch('acme')).toBe(false);
    expect((await store.list()).map(({ id }) => id)).toEqual(['other']);
    expect((await db.query('select id from bots')).rows).toHaveLength(2);
    expect((await store.put({ id: 'acme', platform: 'slack' })).version).toBe(first.version);
  });

  test('softDelete without where only sets its columns; without both, rows are deleted', async () => {
    const marks = await bots({ where: undefined as never, softDelete: `status = 'stopped'` });
    await marks.put({ id: 'acme', platform: 'slack' });
    await marks.delete('acme');
    expect(await marks.get('acme')).toMatchObject({ status: 'stopped' });
    const deletes = await bots({ where: undefined as never, softDelete: undefined as never });
    await deletes.delete('acme');
    expect((await db.query('select 1 from bots')).rows).toEqual([]);
  });

  test('refuses to delete with where but without softDelete', async () => {
    const store = await bots({ softDelete: undefined as never });
    await store.put({ id: 'acme', platform: 'slack' });
    await expect(store.delete('acme')).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(await store.get('acme')).toBeDefined();
  });

  test('reports an error when a trigger of the table suppresses the write', async () => {
    const store = await bots();
    await db.exec(`
      create function refuse() returns trigger language plpgsql as $$ begin return null; end $$;
      create trigger refuse before insert on bots for each row execute function refuse()`);
    await expect(store.put({ id: 'acme', platform: 'slack' })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      connectionId: 'acme',
    });
  });

  test('reports an error when where hides the row that it wrote, or when that row is no record', async () => {
    const hides = await bots({ toRow: ({ platform }) => ({ platform, deleted_at: new Date() }) });
    await expect(hides.put({ id: 'acme', platform: 'slack' })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      connectionId: 'acme',
    });
    const spoils = await bots({ toRow: () => ({ platform: null, deleted_at: null }) });
    await expect(spoils.put({ id: 'acme', platform: 'slack' })).rejects.toMatchObject({
      code: 'INVALID_RECORD',
      connectionId: 'acme',
    });
  });

  test('needs toRow for put, and for nothing else', async () => {
    const store = await bots({ toRow: undefined as never });
    await db.query(`insert into bots (id, platform) values ('acme', 'slack')`);
    await expect(store.put({ id: 'acme', platform: 'x' })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(await store.get('acme')).toMatchObject({ platform: 'slack' });
  });

  test('needs no columns.config for reading', async () => {
    await bots();
    await db.query(`insert into bots (id, platform) values ('acme', 'slack')`);
    const store = new PostgresStore<Bot>({ client: db, table: 'bots', mapRow: mapping.mapRow });
    expect(await store.get('acme')).toMatchObject({ platform: 'slack' });
  });

  test('the status is written to its column and read from it', async () => {
    const store = await bots();
    expect(await store.put({ id: 'acme', platform: 'slack', status: 'stopped' })).toMatchObject({ status: 'stopped' });
    expect(await store.put({ id: 'acme', platform: 'slack' })).toMatchObject({ status: 'active' });
  });

  test('toRow gets the status, and may write it in its own way', async () => {
    const store = await bots({
      toRow: ({ platform, status }) => ({ platform, status: status === 'active' ? 'running' : status }),
    });
    await store.put({ id: 'acme', platform: 'slack' });
    expect((await db.query('select status from bots')).rows).toEqual([{ status: 'running' }]);
    expect(await store.put({ id: 'acme', platform: 'slack', status: 'stopped' })).toMatchObject({ status: 'stopped' });
  });

  test('a condition may decide about the status instead of a column', async () => {
    await db.exec('alter table bots drop column status');
    const store = await bots({ stopped: 'seen > 0' });
    expect(await store.put({ id: 'acme', platform: 'slack' })).toMatchObject({ status: 'active' });
    await db.query('update bots set seen = 1');
    expect(await store.get('acme')).toMatchObject({ status: 'stopped' });
  });

  test.each([[undefined], ['text'], [7], [null], [['list']]])(
    'mapRow that returns %j makes the row INVALID_RECORD',
    async (mapped) => {
      const store = await bots({ mapRow: () => mapped as never });
      await db.query(`insert into bots (id, platform) values ('acme', 'slack')`);
      await expect(store.get('acme')).rejects.toMatchObject({
        code: 'INVALID_RECORD',
        connectionId: 'acme',
        cause: new TypeError('expected an object from mapRow'),
      });
    },
  );

  test('works with an id that is unique only among the rows that are not deleted', async () => {
    await db.exec('alter table bots drop constraint bots_pkey; create unique index on bots (id) where deleted_at is null');
    const store = await bots();
    await store.put({ id: 'acme', platform: 'slack' });
    await store.delete('acme');
    await store.put({ id: 'acme', platform: 'slack' });
    await store.put({ id: 'acme', platform: 'telegram' });
    expect((await db.query('select deleted_at is null as alive from bots order by 1')).rows).toEqual([
      { alive: false },
      { alive: true },
    ]);
    expect(await store.get('acme')).toMatchObject({ platform: 'telegram' });
  });
});

describe('ids that do not fit the type of the column', () => {
  const uuid = 'aaaaaaaa-0000-4000-8000-000000000001';

  test.each([
    { idType: 'uuid', possible: [uuid], odd: ['', 'x', uuid.toUpperCase(), `{${uuid}}`, `${uuid}0`, `0${uuid}`] },
    {
      idType: 'bigint',
      possible: ['9223372036854775807', '-5', '0', '12'],
      odd: ['', 'x', '1 ', '+1', '01', '-0', '1.0', '1e3', '9223372036854775808', '-9223372036854775809'],
    },
  ] as const)('$idType: they are unknown rather than errors', async ({ idType, possible, odd }) => {
    await db.exec(`create table t (id ${idType} primary key, c text)`);
    const store = await migrated<{ c: string }>({
      table: 't',
      idType,
      columns: { config: ['c'] },
      stopped: 'false',
      mapRow: ({ c }) => ({ c: c as string }),
      toRow: ({ c }) => ({ c }),
    });
    for (const id of possible) await store.put({ id, c: id });
    expect([...(await store.getMany([...odd, ...possible])).keys()].toSorted()).toEqual([...possible].toSorted());
    for (const id of odd) await expect(store.put({ id, c: 'x' })).rejects.toMatchObject({ code: 'INVALID_CONNECTION_ID' });
  });

  test('an id that a collation treats as equal is still another id', async () => {
    const asked: PostgresClient = { query: async () => [{ 'hydrant:ids': '["acme","Acme"]', 'hydrant:versions': '["1","1"]' }] };
    expect(await new PostgresStore({ client: asked }).getVersions(['Acme'])).toEqual(new Map([['Acme', '1']]));
  });
});
