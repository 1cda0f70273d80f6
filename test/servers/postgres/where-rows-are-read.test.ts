import type pg from 'pg';
import { ConnectionRegistry } from 'hydrant';
import { PostgresStore, type PostgresClient, type PostgresStoreOptions } from 'hydrant/postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import { databaseForTests } from '../support/databases.js';

interface Bot { readonly config: unknown }

const database = databaseForTests();
const { pool } = database;
let sent: string[];
const client: PostgresClient = { query: (text, values) => { sent.push(text); return pool.query(text, values); } };
beforeEach(async () => {
  sent = [];
  await pool.query(`drop schema if exists hydrant cascade; drop schema public cascade; create schema public;
    create table bots (id text primary key, organization text, config jsonb not null default '{}', ends_at timestamptz,
    noted text);
    create table organizations (id text primary key, suspended boolean not null default false);
    insert into organizations values ('o1'); insert into bots (id, organization, ends_at)
    values ('acme', 'o1', now() + interval '1 hour')`);
});

async function bots(options: Partial<PostgresStoreOptions<Bot>> = {}): Promise<PostgresStore<Bot>> {
  const store = new PostgresStore<Bot>({
    client,
    table: 'bots',
    columns: { config: ['config'] },
    stopped: 'false',
    mapRow: ({ config }) => ({ config }),
    ...options,
  });
  await store.migrate();
  return store;
}
const versionOf = async (store: PostgresStore<Bot>): Promise<unknown> => {
  const version = (await store.getVersions(['acme'])).get('acme');
  expect(version).toBe((await store.get('acme'))?.version);
  return version;
};

describe.each(['table', 'hash'] as const)('with versions %s', (versions) => {
  test.each([
    { what: 'the time', stopped: 'ends_at < now()', stop: `update bots set ends_at = now() + interval '40 ms'` },
    {
      what: 'another table',
      stopped: '(select suspended from organizations o where o.id = organization)',
      stop: 'update organizations set suspended = true',
    },
    { what: 'a function of the user', stopped: 'is_over(noted)', stop: `update bots set noted = 'over'` },
  ])(
    "a live connection whose status depends on $what is stopped, and the application's writes go on",
    async ({ stopped, stop }) => {
      await pool.query(`create function is_over(text) returns boolean language sql as $$ select $1 = 'over' $$`);
      const store = await bots({ stopped, versions });
      await using registry = new ConnectionRegistry({ store, factory: { create: ({ id }) => id } });
      await registry.use('acme', () => {});
      await pool.query(stop);
      await expect
        .poll(() => registry.use('acme', () => 'served').catch((error: { code: string }) => error.code))
        .toBe('CONNECTION_STOPPED');
      await pool.query(`update bots set noted = 'again'`);
    },
  );

  test('a change that where depends on hides a live row', async () => {
    const store = await bots({
      where: 'not exists (select from organizations o where o.id = organization and suspended)',
      versions,
    });
    expect(await versionOf(store)).toBeDefined();
    await pool.query('update organizations set suspended = true');
    expect(await versionOf(store)).toBeUndefined();
  });

  test('an expression counts by its value, and may read other tables', async () => {
    const suspended = '(select suspended from organizations o where o.id = organization)';
    const store = await bots({ columns: { config: [`config - 'lastError'`, suspended] }, versions });
    const first = await versionOf(store);
    await pool.query(`update bots set config = '{"lastError":"timeout"}', noted = 'x'`);
    expect(await versionOf(store)).toBe(first);
    await pool.query(`update bots set config = '{"lastError":"timeout","token":"t"}'`);
    const second = await versionOf(store);
    expect(second).not.toBe(first);
    await pool.query('update organizations set suspended = true');
    expect(await versionOf(store)).not.toBe(second);
  });

  test('without a list of columns, all columns are configuration', async () => {
    const store = await bots({ columns: {}, versions });
    const first = await versionOf(store);
    await pool.query(`update bots set noted = 'x'`);
    expect(await versionOf(store)).not.toBe(first);
  });

  test('a change that is made without writing the row is noticed', async () => {
    await pool.query(
      `create type plan as enum ('free', 'pro'); alter table bots add column plan plan not null default 'free',
        add column region text not null default 'eu'`,
    );
    const store = await bots({ columns: { config: ['plan', 'region'] }, versions });
    const seen = new Set([await versionOf(store)]);
    for (const change of [
      `alter type plan rename value 'free' to 'trial'`,
      `alter table bots drop column region; alter table bots add column region text not null default 'us'`,
      `alter table bots alter column region type varchar(2) using 'as'`,
    ]) {
      await pool.query(change);
      seen.add(await versionOf(store));
    }
    expect(seen.size).toBe(4);
  });

  test('a change inside a composite type is noticed', async () => {
    await pool.query(`create type plan as (name text, seats int); create domain plans as plan[];
      create type moods as enum ('sad');
      create domain mood as moods;
      alter table bots add column plans plans default '{"(free,1)"}', add column mood mood[] default '{sad}'`);
    const store = await bots({ columns: { config: ['plans', 'mood'] }, versions });
    const seen = new Set([await versionOf(store)]);
    for (const change of [`alter type plan add attribute region text`, `alter type moods rename value 'sad' to 'blue'`]) {
      await pool.query(change);
      seen.add(await versionOf(store));
    }
    expect(seen.size).toBe(3);
  });

  test('a change of a generated column is noticed', async () => {
    const { rows: [server] } = await pool.query<{ v: number }>(`select current_setting('server_version_num')::int as v`);
    const knowsVirtualColumns = (server?.v ?? 0) >= 180_000;
    await pool.query(`create table computed (id text primary key, n int not null default 1,
      twice int generated always as (n * 2) ${knowsVirtualColumns ? 'virtual' : 'stored'});
      insert into computed (id) values ('acme')`);
    const store = await bots({
      table: 'computed',
      columns: { config: ['twice'] },
      mapRow: ({ twice }) => ({ config: twice }),
      versions,
    });
    const first = await versionOf(store);
    await pool.query(
      knowsVirtualColumns ? 'alter table computed alter column twice set expression as (n * 3)' : 'update computed set n = 2',
    );
    expect(await versionOf(store)).not.toBe(first);
  });

  test('unchanged rows cost one query, and are not hashed again', async () => {
    await pool.query(`insert into bots (id) select 'c' || n from generate_series(1, 500) n`);
    const store = await bots({ versions });
    const ids = Array.from({ length: 500 }, (_, n) => `c${n + 1}`);
    const before = await store.getVersions(ids);
    sent = [];
    expect(await store.getVersions(ids)).toEqual(before);
    expect(sent).toHaveLength(1);
    expect(sent[0]).not.toContain('sha256(record_send');
    await pool.query(`update bots set noted = 'x' where id = 'c1'; update bots set config = '[1]' where id = 'c2'`);
    sent = [];
    const after = await store.getVersions(ids);
    expect(sent).toHaveLength(2);
    expect([...after].filter(([id, version]) => before.get(id) !== version).map(([id]) => id)).toEqual(['c2']);
  });
});

test('a touch of an unchanged row is noticed, once and for this row only', async () => {
  await pool.query(`insert into bots (id) values ('b')`);
  const store = await bots();
  const ids = ['acme', 'b'];
  const before = await store.getVersions(ids);
  const changed = async (): Promise<readonly string[]> => {
    const after = await store.getVersions(ids);
    return ids.filter((id) => before.get(id) !== after.get(id));
  };
  await store.touch('b');
  expect(await changed()).toEqual(['b']);
  const asANumberEqualToTheNext = 9_223_372_036_854_775_806n;
  await pool.query(`update hydrant."public.bots" set version = ${asANumberEqualToTheNext}`);
  const almost = (await store.getVersions(ids)).get('b');
  await pool.query(`update hydrant."public.bots" set version = version + 1`);
  expect((await store.getVersions(ids)).get('b')).not.toBe(almost);
  sent = [];
  await changed();
  await store.getVersions(['acme']);
  expect(sent.map((text) => text.includes('sha256(record_send'))).toEqual([false, false]);
});

test('a column of the application is its version, together with the status', async () => {
  await pool.query('alter table bots add column rev int not null default 1');
  const store = await bots({ versions: { column: 'rev' }, stopped: `noted = 'stopped'` });
  expect(await versionOf(store)).toBe('1');
  await pool.query(`update bots set config = '[1]', rev = 2`);
  expect(await versionOf(store)).toBe('2');
  await pool.query(`update bots set noted = 'stopped'`);
  expect(await versionOf(store)).toBe('2 stopped');
});

test('hints of a mapped table name the rows whose version may have changed, including touched ones', async () => {
  await pool.query(`insert into bots (id) values ('b'), ('c')`);
  const store = await bots({
    stopped: `noted = 'stopped'`,
    listenClient: () => new (pool as unknown as { Client: new (url: string) => pg.Client }).Client(database.url),
  });
  const heard: string[] = [];
  await using _subscription = await store.watch!({ changed: (ids) => { heard.push(...ids); }, gap: () => {} });
  const told = async (work: () => Promise<unknown>): Promise<string[]> => {
    heard.length = 0;
    await work();
    await pool.query(`insert into bots (id) values ('marker') on conflict (id) do update set config = to_jsonb(random())`);
    await expect.poll(() => heard).toContain('marker');
    return heard.filter((id) => id !== 'marker').toSorted();
  };
  expect(await told(() => pool.query(`update bots set noted = 'x'`))).toEqual([]);
  expect(await told(() => pool.query(`update bots set config = '[1]' where id in ('acme', 'b')`))).toEqual(['acme', 'b']);
  expect(await told(() => pool.query(`update bots set noted = 'stopped' where id = 'c'`))).toEqual(['c']);
  expect(await told(() => store.touch('b'))).toEqual(['b']);
  expect(await told(() => pool.query(`delete from bots where id = 'c'`))).toEqual(['c']);
});
