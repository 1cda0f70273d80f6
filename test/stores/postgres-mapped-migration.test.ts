import type { PGlite } from '@electric-sql/pglite';
import { PostgresStore, type PostgresStoreOptions } from 'hydrant/postgres';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { catalogueOf, finding } from './support/catalogue.js';
import { emptyPglite, startPglite } from './support/pglite.js';

let db: PGlite;
beforeAll(async () => { await startPglite(); }, 60_000);
beforeEach(async () => { db = await emptyPglite(); });

const { values, objects, names, everything, triggers } = catalogueOf(() => db);
const EVENTS = ['delete', 'insert', 'truncate', 'update'];

const mapping = {
  table: 'bots', columns: { config: ['platform'] }, where: 'not gone', stopped: 'halted', softDelete: 'gone = true',
  mapRow: ({ platform }) => ({ platform: platform as string }), toRow: ({ platform }) => ({ platform }),
} satisfies Omit<PostgresStoreOptions<{ platform: string }>, 'client'>;
const BOTS = `create table bots (id text primary key, platform text, note text, gone bool not null default false,
  halted bool not null default false)`;

describe('the migration of a table that exists', () => {
  beforeEach(async () => {
    await db.exec(`drop schema if exists hydrant cascade; ${BOTS}; insert into bots (id, platform) values ('acme', 'slack')`);
  });

  const store = (options: Partial<PostgresStoreOptions<{ platform: string }>> = {}) =>
    new PostgresStore({ client: db, ...mapping, ...options });

  test('adds only the triggers for hints to the table, and reports the created objects', async () => {
    const before = await names();
    const file = await values(`select relfilenode as value from pg_class where relname = 'bots'`);
    expect(await store().migrate()).toEqual([
      finding('function hydrant."public.bots_notify"()'), finding('table hydrant."public.bots"', 'missing or different'),
      ...EVENTS.map((event) => finding(`trigger hydrant_notify_${event} on public.bots`)),
    ]);
    expect(await values(`select relfilenode as value from pg_class where relname = 'bots'`)).toEqual(file);
    expect((await names()).filter((name) => !before.includes(name))).toEqual(
      EVENTS.map((event) => `trigger hydrant_notify_${event}`),
    );
    expect(await store().get('acme')).toEqual({
      id: 'acme',
      platform: 'slack',
      status: 'active',
      version: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
  });

  test('does nothing when there is nothing to do, and check finds nothing', async () => {
    await store().migrate();
    const before = await objects();
    expect(await store().check()).toEqual([]);
    expect(await store().migrate({ lockTimeoutMs: 1 })).toEqual([]);
    expect(await objects()).toEqual(before);
  });

  test('check changes nothing', async () => {
    const before = await objects();
    expect(await store().check()).toHaveLength(6);
    expect(await objects()).toEqual(before);
  });

  test.each(['parts', 'public.parts'])('a partition of %s may be in another schema', async (table) => {
    await db.exec(`
      create schema elsewhere; create table parts (id text primary key, platform text) partition by hash (id);
      create table elsewhere.part partition of parts for values with (modulus 1, remainder 0)`);
    const parts = store({ table, where: undefined as never, stopped: 'false', softDelete: undefined as never });
    await parts.migrate();
    expect(await parts.put({ id: 'acme', platform: 'slack' })).toMatchObject({ platform: 'slack' });
    expect(await parts.check()).toEqual([]);
  });

  test('as SQL for a file does the same, and may run twice', async () => {
    const { up, down } = PostgresStore.migrationSql(mapping);
    for (const statement of [up, up]) await db.exec(statement);
    expect(await store().check()).toEqual([]);
    const before = await objects();
    await store().migrate();
    expect(await objects()).toEqual(before);
    await db.exec(down);
  });

  test('can be undone more than once, and leaves nothing behind', async () => {
    const before = await everything();
    const { up, down } = PostgresStore.migrationSql(mapping);
    for (let n = 0; n < 3; n += 1) {
      await db.exec(up);
      await store().touch('acme');
      await db.exec(down);
      expect(await everything()).toEqual(before);
    }
    await db.exec(down);
    await db.exec(`update bots set platform = 'x'`);
  });

  test('can be undone after the table was dropped, and leaves nothing behind', async () => {
    const { up, down } = PostgresStore.migrationSql(mapping);
    const before = await everything();
    await db.exec(`${up}; drop table bots; ${down}; ${BOTS}`);
    expect(await everything()).toEqual(before);
  });

  test('keeps a schema that it did not create, and one that another table still uses', async () => {
    await db.exec('create schema elsewhere; create table others (id text primary key, platform text)');
    const others = { table: 'others', columns: { config: ['platform'] }, stopped: 'false', mapRow: mapping.mapRow };
    const given = { ...others, schema: 'elsewhere' };
    for (const options of [mapping, others, given]) await db.exec(PostgresStore.migrationSql(options).up);
    await db.exec(PostgresStore.migrationSql(others).down);
    expect(await store().check()).toEqual([]);
    await db.exec(PostgresStore.migrationSql(given).down);
    expect(
      await values(`select nspname as value from pg_namespace where nspname in ('hydrant', 'elsewhere') order by 1`),
    ).toEqual(['elsewhere', 'hydrant']);
    await db.exec(PostgresStore.migrationSql(mapping).down);
    expect(
      await values(`select nspname as value from pg_namespace where nspname in ('hydrant', 'elsewhere') order by 1`),
    ).toEqual(['elsewhere']);
  });

  test(`waits for a lock for lockTimeoutMs, five seconds by default, and restores the transaction's settings`, async () => {
    await db.exec(`create table seen (value text);
      create function see() returns event_trigger language plpgsql as $$ begin
        insert into seen values (current_setting('lock_timeout') || ' ' || current_setting('client_min_messages'));
      end $$;
      create event trigger seeing on ddl_command_end execute function see()`);
    const during = async (sql: string) => {
      await db.exec(`delete from seen; begin; set local client_min_messages = 'log'; ${sql}`);
      const settings = `current_setting('lock_timeout') || ' ' || current_setting('client_min_messages')`;
      expect(await values(`select ${settings} as value`)).toEqual(['0 log']);
      await db.exec('commit');
      return await values('select distinct value from seen');
    };
    for (const { options, timeout } of [
      { options: {}, timeout: '5s' },
      { options: { lockTimeoutMs: 70 }, timeout: '70ms' },
      { options: { lockTimeoutMs: 0 }, timeout: '0' },
    ] as const) {
      const { up, down } = PostgresStore.migrationSql({ ...mapping, ...options });
      for (const sql of [up, down]) expect(await during(sql)).toEqual([`${timeout} warning`]);
    }
  });

  test.each<{ what: string; damage: string; found: object }>([
    {
      what: 'a lost schema',
      damage: 'drop schema hydrant cascade',
      found: finding('table hydrant."public.bots"', 'missing or different'),
    },
    {
      what: 'a lost table of touches',
      damage: 'drop table hydrant."public.bots"',
      found: finding('table hydrant."public.bots"', 'missing or different'),
    },
    {
      what: 'a lost column',
      damage: 'alter table hydrant."public.bots" drop column version',
      found: finding('table hydrant."public.bots"', 'missing or different'),
    },
    {
      what: 'a lost key',
      damage: 'alter table hydrant."public.bots" drop constraint "public.bots_pkey"',
      found: finding('table hydrant."public.bots"', 'missing or different'),
    },
    {
      what: 'a key of another column',
      damage: `alter table hydrant."public.bots" drop constraint "public.bots_pkey", add primary key (version)`,
      found: finding('table hydrant."public.bots"', 'missing or different'),
    },
    {
      what: 'a lost function',
      damage: 'drop function hydrant."public.bots_notify" cascade',
      found: finding('function hydrant."public.bots_notify"()'),
    },
    {
      what: 'another function',
      damage: `create or replace function hydrant."public.bots_notify"() returns trigger language plpgsql as 
        $$ begin return null; end $$`,
      found: finding('function hydrant."public.bots_notify"()', 'different'),
    },
    {
      what: 'a function for something else',
      damage: `drop function hydrant."public.bots_notify" cascade;
        create function hydrant."public.bots_notify"() returns int language sql as 'select 1'`,
      found: finding('function hydrant."public.bots_notify"()', 'different'),
    },
    {
      what: 'a function with rights',
      damage: `alter function hydrant."public.bots_notify" security definer`,
      found: finding('function hydrant."public.bots_notify"()', 'different'),
    },
    {
      what: 'a function for everybody',
      damage: 'grant execute on function hydrant."public.bots_notify" to public',
      found: finding('function hydrant."public.bots_notify"()', 'may be executed by every role'),
    },
    {
      what: 'a lost trigger',
      damage: 'drop trigger hydrant_notify_update on bots',
      found: finding('trigger hydrant_notify_update on public.bots'),
    },
    {
      what: 'a trigger that never runs',
      damage: `create or replace trigger hydrant_notify_truncate after truncate on bots for each statement when (false)
        execute function hydrant."public.bots_notify"()`,
      found: finding('trigger hydrant_notify_truncate on public.bots', 'different'),
    },
    {
      what: 'a trigger of another event',
      damage: `drop trigger hydrant_notify_truncate on bots;
        create trigger hydrant_notify_truncate after delete on bots execute function hydrant."public.bots_notify"()`,
      found: finding('trigger hydrant_notify_truncate on public.bots', 'different'),
    },
    {
      what: 'disabled triggers',
      damage: 'alter table bots disable trigger user',
      found: finding('trigger hydrant_notify_update on public.bots', 'disabled'),
    },
  ])('finds $what, and migrate repairs it', async ({ damage, found }) => {
    await store().migrate();
    await db.exec(damage);
    expect(await store().check()).toContainEqual(found);
    expect(await store().migrate()).toContainEqual(found);
    expect(await store().check()).toEqual([]);
    expect(await store().touch('acme')).toBe(true);
  });

  test('drops no function that something else uses', async () => {
    await db.exec(`create schema hydrant; create function hydrant."public.bots_notify"() returns int language sql as 'select 1';
      create view theirs as select hydrant."public.bots_notify"() as n`);
    await expect(store().migrate()).rejects.toMatchObject({ code: '2BP01' });
    expect(await values('select n as value from theirs')).toEqual([1]);
  });

  test.each([['hash' as const], [{ column: 'rev' }]])(
    'versions %j need no objects, and existing ones are removed',
    async (versions) => {
      await db.exec('alter table bots add column rev int');
      const before = await everything();
      expect(await store({ versions }).migrate()).toEqual([]);
      await store().migrate();
      const found = await store({ versions }).migrate();
      expect(found).toContainEqual(finding('table hydrant."public.bots"', 'not wanted'));
      expect(found).toContainEqual(finding('trigger hydrant_notify_insert on public.bots', 'not wanted'));
      expect(await everything()).toEqual(before);
      await expect(store({ versions }).touch('acme')).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    },
  );

  test('without notify removes the notifications', async () => {
    await store().migrate();
    expect(await triggers()).toEqual(EVENTS.map((event) => `hydrant_notify_${event}`));
    await store({ notify: false }).migrate();
    expect(await triggers()).toEqual([]);
    expect(await values(`select proname as value from pg_proc where pronamespace = 'hydrant'::regnamespace`)).toEqual([]);
    expect(await store().touch('acme')).toBe(true);
  });

  test('says that a view needs notify: false', async () => {
    await db.exec('create view seen as select * from bots');
    await expect(store({ table: 'seen' }).migrate()).rejects.toThrow('hydrant: a view needs notify: false');
    await store({ table: 'seen', notify: false }).migrate();
    expect(await store({ table: 'seen', notify: false }).get('acme')).toMatchObject({ platform: 'slack' });
  });

  test('reports a missing table', async () => {
    const none = store({ table: 'none' });
    expect(await none.check()).toContainEqual(finding('table "none"'));
    for (const asked of [none.migrate(), none.get('acme')]) {
      await expect(asked).rejects.toMatchObject({
        code: 'INVALID_OPTIONS',
        message: 'PostgresStore: there is no table "none"',
      });
    }
  });

  test('needs a whole number for the lock time-out', () => {
    for (const lockTimeoutMs of [-1, 0.5, Number.POSITIVE_INFINITY, '5s', 2 ** 31]) {
      expect(() => PostgresStore.migrationSql({ ...mapping, lockTimeoutMs: lockTimeoutMs as number })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTIONS' }),
      );
    }
    expect(PostgresStore.migrationSql({ ...mapping, lockTimeoutMs: 2 ** 31 - 1 }).up).toContain('2147483647');
  });
});
