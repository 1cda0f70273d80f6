import type { PGlite } from '@electric-sql/pglite';
import { PostgresClaims, PostgresStore, type PostgresStoreOptions } from 'hydrant/postgres';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emptyPglite, startPglite } from './support/pglite.js';

let db: PGlite;
beforeAll(async () => { await startPglite(); }, 60_000);
beforeEach(async () => { db = await emptyPglite(); });

async function values(query: string): Promise<unknown[]> {
  return (await db.query<{ value: unknown }>(query)).rows.map(({ value }) => value);
}

/** Everything that has a name, with the row version of its catalogue entry: another one if it was made anew. */
const objects = () => values(`
  select name || ' ' || made as value from (
    select 'relation ' || relname as name, xmin::text as made from pg_class where relnamespace = 'public'::regnamespace
    union all select 'column ' || attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, 0) || ' ' || attnotnull, xmin::text
      from pg_attribute where attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r') and attnum > 0 and not attisdropped
    union all select 'function ' || proname, xmin::text from pg_proc where pronamespace = 'public'::regnamespace
    union all select 'trigger ' || tgname, xmin::text from pg_trigger where not tgisinternal) everything order by 1`);
const names = async () => (await objects()).map((object) => String(object).replace(/ \d+$/, ''));
const triggers = async () => (await names()).filter((name) => name.startsWith('trigger ')).map((name) => name.slice(8));

const mapping = {
  table: 'bots', columns: { config: ['platform'] }, where: 'not gone', stopped: 'halted', softDelete: 'gone = true',
  mapRow: ({ platform }) => ({ platform: platform as string }), toRow: ({ platform }) => ({ platform }),
} satisfies Omit<PostgresStoreOptions<{ platform: string }>, 'client'>;
const BOTS = `create table bots (id text primary key, platform text, note text, gone bool not null default false, halted bool not null default false)`;

describe('the migration of a table that exists', () => {
  beforeEach(async () => { await db.exec(`${BOTS}; insert into bots (id, platform) values ('acme', 'slack')`); });

  const store = (options: Partial<PostgresStoreOptions<{ platform: string }>> = {}) => new PostgresStore({ client: db, ...mapping, ...options });

  test('rewrites no row: the version of what is there is 0', async () => {
    const file = await values(`select relfilenode as value from pg_class where relname = 'bots'`);
    await store().migrate();
    expect(await values(`select relfilenode as value from pg_class where relname = 'bots'`)).toEqual(file);
    expect(await store().get('acme')).toEqual({ id: 'acme', platform: 'slack', status: 'active', version: '0' });
  });

  test('does nothing when there is nothing to do', async () => {
    await store().migrate();
    await db.exec(`select setval('bots_hydrant_version_seq', 5)`);
    const before = await objects();
    await store().migrate({ lockTimeoutMs: 1 });
    expect(await objects()).toEqual(before);
    expect(await values('select last_value as value from bots_hydrant_version_seq')).toEqual([5]);
  });

  test.each(['parts', 'public.parts'])('a partition of %s may be in another schema', async (table) => {
    await db.exec(`
      create schema elsewhere; create table parts (id text primary key, platform text) partition by hash (id);
      create table elsewhere.part partition of parts for values with (modulus 1, remainder 0)`);
    const parts = store({ table, where: undefined as never, stopped: 'false', softDelete: undefined as never });
    await parts.migrate();
    expect(await parts.put({ id: 'acme', platform: 'slack' })).toMatchObject({ platform: 'slack' });
  });

  test('as SQL for a file does the same, and twice is as good as once', async () => {
    await store().migrate();
    const migrated = await names();
    await db.exec(`drop table bots cascade; drop function bots_hydrant_version; drop function bots_hydrant_notify; ${BOTS}`);
    const { up } = PostgresStore.migrationSql(mapping);
    for (const statement of [up, up]) await db.exec(statement);
    expect(await names()).toEqual(migrated);
    const before = await objects();
    await store().migrate();
    expect(await objects()).toEqual(before);
  });

  test('can be undone without a trace, more than once, and versions do not begin again after it', async () => {
    const before = await names();
    const { up, down } = PostgresStore.migrationSql(mapping);
    const seen: unknown[] = [];
    for (let n = 0; n < 3; n += 1) {
      await db.exec(up);
      await store().touch('acme');
      seen.push((await store().get('acme'))?.version);
      await db.exec(down);
      expect(await names()).toEqual(before);
    }
    await db.exec(down);
    expect(new Set(seen).size).toBe(3);
    await db.exec(`update bots set platform = 'x'`);
  });

  test('waits for a lock as long as it is told to, five seconds by default, and sets that for itself alone', async () => {
    const during = async (sql: string) => {
      await db.exec(`begin; ${sql}`);
      const [timeout] = await values(`select current_setting('lock_timeout') as value`);
      await db.exec('commit');
      return timeout;
    };
    for (const [options, timeout] of [[{}, '5s'], [{ lockTimeoutMs: 70 }, '70ms'], [{ lockTimeoutMs: 0 }, '0']] as const) {
      const { up, down } = PostgresStore.migrationSql({ ...mapping, ...options });
      expect([await during(up), await during(down)]).toEqual([timeout, timeout]);
    }
    expect(await values(`select current_setting('lock_timeout') as value`)).toEqual(['0']);
  });

  test('is made anew when the options say something else', async () => {
    await store().migrate();
    await store({ columns: { config: ['platform', 'note'] } }).migrate();
    const before = (await store().get('acme'))?.version;
    await db.query(`update bots set note = 'n'`);
    expect((await store().get('acme'))?.version).not.toBe(before);
  });

  test('without notify takes the notifications away', async () => {
    await store().migrate();
    expect(await triggers()).toEqual(['hydrant_notify_delete', 'hydrant_notify_insert', 'hydrant_notify_truncate', 'hydrant_notify_update', 'zzz_hydrant_version']);
    await store({ notify: false }).migrate();
    expect(await triggers()).toEqual(['zzz_hydrant_version']);
    expect((await names()).filter((name) => name.includes('notify'))).toEqual([]);
  });

  test('the version trigger comes after all others: it sees what they made of the row', async () => {
    await db.exec(`
      create function normalise() returns trigger language plpgsql as $$ begin new.platform = lower(new.platform); return new; end $$;
      create trigger yyy_normalise before update on bots for each row execute function normalise()`);
    await store().migrate();
    await db.query(`update bots set platform = 'SLACK'`);
    expect((await store().get('acme'))?.version).toBe('0');
  });

  test('a column that changes its type fails nobody', async () => {
    await store().migrate();
    await store().put({ id: 'acme', platform: 'a' });
    await db.exec('alter table bots alter column platform type varchar(9), drop column note');
    expect(await store().put({ id: 'acme', platform: 'b' })).toMatchObject({ platform: 'b' });
  });

  test('needs to know which columns make a version, and a whole number for the lock time-out', async () => {
    expect(() => PostgresStore.migrationSql({ ...mapping, columns: {} })).toThrow(expect.objectContaining({
      code: 'INVALID_OPTIONS', message: 'PostgresStore: option columns.config: expected the columns whose change makes a new version, got undefined',
    }));
    for (const lockTimeoutMs of [-1, 0.5, Number.POSITIVE_INFINITY, '5s', 2 ** 31]) {
      expect(() => PostgresStore.migrationSql({ ...mapping, lockTimeoutMs: lockTimeoutMs as number })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    }
    expect(PostgresStore.migrationSql({ ...mapping, lockTimeoutMs: 2 ** 31 - 1 }).up).toContain('2147483647');
  });
});

describe('the migration of the store\'s own table', () => {
  test('is made and taken away again without a trace', async () => {
    const before = await names();
    const store = new PostgresStore({ client: db });
    await store.migrate();
    const migrated = await objects();
    await store.migrate();
    expect(await objects()).toEqual(migrated);
    await store.put({ id: 'acme' });
    for (let n = 0; n < 2; n += 1) await db.exec(PostgresStore.migrationSql().down);
    expect(await names()).toEqual(before);
  });

  test('holds no other status than the two, and a row that somebody else writes is active and empty', async () => {
    const store = new PostgresStore({ client: db });
    await store.migrate();
    await expect(db.query(`insert into hydrant_connections (id, status) values ('acme', 'error')`)).rejects.toMatchObject({ code: '23514' });
    await db.query(`insert into hydrant_connections (id) values ('acme')`);
    expect(await store.get('acme')).toEqual({ id: 'acme', status: 'active', version: expect.any(String) as string });
  });

  test('may be called and be anything, anywhere', async () => {
    await db.exec(`drop schema if exists "we""ird Schema" cascade; create schema "we""ird Schema"`);
    const options = { table: `we"ird Schema.Tab'le $hydrant$ %s \\ ${'x'.repeat(30)}`, columns: { id: 'I"d', status: 'st\'atus %I', version: 'ver\\sion $hydrant1$' } };
    const store = new PostgresStore<{ token: string }>({ client: db, ...options });
    await store.migrate();
    await store.migrate();
    const first = await store.put({ id: 'acme', token: 'a' });
    const second = await store.put({ id: 'acme', token: 'b', status: 'stopped' });
    expect(second).toEqual({ id: 'acme', token: 'b', status: 'stopped', version: expect.stringMatching(/^\d+$/) as string });
    expect(second.version).not.toBe(first.version);
    await db.exec(PostgresStore.migrationSql(options).down);
    expect(await values(`select relname as value from pg_class where relnamespace = (select oid from pg_namespace where nspname like 'we%')`)).toEqual([]);
  });

  test.each([['a', 'b'], ['ä', 'ü']])('two tables whose long names end in %s and %s share nothing that belongs to them', async (...ends) => {
    const [first, second] = ends.map((end) => ({ table: `${'long_'.repeat(12)}${end}`, client: db })) as [{ table: string; client: PGlite }, { table: string; client: PGlite }];
    const store = new PostgresStore<{ token: string }>(first);
    await store.migrate();
    await new PostgresStore(second).migrate();
    await store.put({ id: 'acme', token: '1' });
    await db.exec(PostgresStore.migrationSql(second).down);
    expect(await store.put({ id: 'acme', token: '2' })).toMatchObject({ token: '2' });
    const lengths = await values(`select octet_length(proname) as value from pg_proc where proname like 'long%'`);
    expect(lengths).toEqual([63, 63]);
  });

  test('a name that PostgreSQL keeps whole is not cut', async () => {
    await new PostgresStore({ client: db, table: 'x'.repeat(47) }).migrate();
    expect(await names()).toContain(`function ${'x'.repeat(47)}_hydrant_version`);
  });
});

describe('the migration of claims', () => {
  const request = { replica: 'a', ttlMs: 60_000, ids: ['c1', 'c2'], limit: 2, freeForMs: 0 };

  test.each(['hydrant_claims', 'elsewhere.my "claims"'])('%s: does nothing when there is nothing to do, and leaves nothing behind on the way down', async (table) => {
    await db.exec('create schema elsewhere');
    const [schema, name] = table.includes('.') ? table.split('.') as [string, string] : ['public', table];
    const left = () => values(`select relname || ' ' || xmin as value from pg_class where relnamespace = '${schema}'::regnamespace order by 1`);
    const claims = new PostgresClaims({ client: db, table });
    await claims.migrate();
    const migrated = await left();
    expect(migrated.join(' ')).toContain(name);
    const sequence = `${schema}."${`${name}_token_seq`.replaceAll('"', '""')}"`;
    await db.query(`select setval($1, 5)`, [sequence]);
    await claims.migrate();
    expect(await left()).toEqual(migrated);
    expect(await values(`select last_value as value from ${sequence}`)).toEqual([5]);
    expect(await claims.claim(request)).toHaveLength(2);
    const { up, down } = PostgresClaims.migrationSql({ table });
    await db.exec(down);
    expect(await left()).toEqual([]);
    await db.exec(up);
    expect(await claims.claim(request)).toHaveLength(2);
    const before = await left();
    await claims.migrate();
    expect(await left()).toEqual(before);
  });

  test('as SQL for a file is that of hydrant_claims unless told otherwise', async () => {
    await db.exec(PostgresClaims.migrationSql().up);
    expect(await new PostgresClaims({ client: db }).claim(request)).toHaveLength(2);
  });

  test('what a replica owns is found by an index', async () => {
    await new PostgresClaims({ client: db }).migrate();
    expect(await values(`select indexdef as value from pg_indexes where tablename = 'hydrant_claims'`)).toContainEqual(expect.stringContaining('(owner)'));
  });

  test('tokens do not begin again after down and up', async () => {
    const { up, down } = PostgresClaims.migrationSql();
    const tokens = new Set<bigint>();
    for (let n = 0; n < 3; n += 1) {
      await db.exec(up);
      for (const { token } of await new PostgresClaims({ client: db }).claim(request)) tokens.add(token);
      await db.exec(down);
    }
    expect(tokens.size).toBe(6);
  });
});
