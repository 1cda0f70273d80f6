import type { PGlite } from '@electric-sql/pglite';
import { PostgresStore, type PostgresStoreOptions } from 'hydrant/postgres';
import { describe, expect, test } from 'vitest';
import { BOTS, botsStore, EVENTS, mapping, useBotsTable } from './support/bots-table.js';
import { catalogueOf, finding } from './support/catalogue.js';

let db: PGlite;
useBotsTable((given) => { db = given; });
const store = (options: Partial<PostgresStoreOptions<{ platform: string }>> = {}) => botsStore(db, options);

const { values, objects, names, everything } = catalogueOf(() => db);

describe('the migration of a table that exists', () => {
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
