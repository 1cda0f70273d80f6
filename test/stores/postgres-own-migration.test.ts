import type { PGlite } from '@electric-sql/pglite';
import { PostgresStore } from 'hydrant/postgres';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { catalogueOf, finding } from './support/catalogue.js';
import { emptyPglite, startPglite } from './support/pglite.js';

let db: PGlite;
beforeAll(async () => { await startPglite(); }, 60_000);
beforeEach(async () => { db = await emptyPglite(); });

const { values, objects, names, everything } = catalogueOf(() => db);

describe('the migration of the store\'s own table', () => {
  test('is created and removed again, and leaves nothing behind', async () => {
    const before = await everything();
    const store = new PostgresStore({ client: db });
    await store.migrate();
    const migrated = await objects();
    expect(await store.migrate()).toEqual([]);
    expect(await objects()).toEqual(migrated);
    await store.put({ id: 'acme' });
    for (let n = 0; n < 2; n += 1) await db.exec(PostgresStore.migrationSql().down);
    expect(await everything()).toEqual(before);
  });

  test.each<{ what: string; damage: string; found: object }>([
    {
      what: 'a lost version',
      damage: 'alter table hydrant_connections drop column version',
      found: finding('column version of public.hydrant_connections', 'missing or different'),
    },
    {
      what: 'a version that is not computed',
      damage: 'alter table hydrant_connections alter column version drop expression',
      found: finding('column version of public.hydrant_connections', 'missing or different'),
    },
    {
      what: 'a lost counter',
      damage: 'alter table hydrant_connections drop column touched cascade',
      found: finding('column touched of public.hydrant_connections'),
    },
    {
      what: 'a lost key',
      damage: 'alter table hydrant_connections drop constraint hydrant_connections_pkey',
      found: finding('primary key of public.hydrant_connections'),
    },
    {
      what: 'a lost trigger',
      damage: 'drop trigger hydrant_notify_update on hydrant_connections',
      found: finding('trigger hydrant_notify_update on public.hydrant_connections'),
    },
    {
      what: 'a lost function',
      damage: 'drop function hydrant_connections_hydrant_notify cascade',
      found: finding('function "hydrant_connections_hydrant_notify"()'),
    },
  ])('finds $what, and migrate repairs it', async ({ damage, found }) => {
    const store = new PostgresStore<{ n: number }>({ client: db });
    await store.migrate();
    const { version } = await store.put({ id: 'acme', n: 1 });
    await db.exec(damage);
    expect(await store.check()).toContainEqual(found);
    expect(await store.migrate()).toContainEqual(found);
    expect(await store.check()).toEqual([]);
    expect((await store.get('acme'))?.version).toBe(version);
    expect((await store.put({ id: 'acme', n: 2 })).version).not.toBe(version);
  });

  test.each([
    { column: 'status', damage: 'drop column status cascade' },
    { column: 'data', damage: 'drop column data cascade' },
    { column: 'id', damage: 'rename column id to key' },
  ])('finds that the column $column is lost, and migrate refuses to make up its values', async ({ column, damage }) => {
    const store = new PostgresStore({ client: db });
    await store.migrate();
    await db.exec(`alter table hydrant_connections ${damage}`);
    expect(await store.check()).toContainEqual(finding(`column ${column} of public.hydrant_connections`));
    await expect(store.migrate()).rejects.toMatchObject({
      code: '42703',
      message: `hydrant: column ${column} of public.hydrant_connections is lost, and so are its values`,
    });
  });

  test('makes versions that cannot be set, and that an edit by hand changes', async () => {
    const store = new PostgresStore<{ n: number }>({ client: db });
    await store.migrate();
    const { version } = await store.put({ id: 'acme', n: 1 });
    await expect(db.query(`update hydrant_connections set version = 'x'`)).rejects.toMatchObject({ code: '428C9' });
    await db.query(`update hydrant_connections set data = '{"n":2}'`);
    expect((await store.get('acme'))?.version).not.toBe(version);
  });

  test('allows only the two statuses, and a row written by other code is active and empty', async () => {
    const store = new PostgresStore({ client: db });
    await store.migrate();
    await expect(db.query(`insert into hydrant_connections (id, status) values ('acme', 'error')`)).rejects.toMatchObject({
      code: '23514',
    });
    await db.query(`insert into hydrant_connections (id) values ('acme')`);
    expect(await store.get('acme')).toEqual({ id: 'acme', status: 'active', version: expect.any(String) as string });
  });

  test('allows any name, in any schema', async () => {
    await db.exec(`drop schema if exists "we""ird Schema" cascade; create schema "we""ird Schema"`);
    const options = {
      table: `we"ird Schema.Tab'le $hydrant$ %s \\ ${'x'.repeat(30)}`,
      columns: { id: 'I"d', status: "st'atus %I", version: 'ver\\sion $hydrant1$' },
    };
    const store = new PostgresStore<{ token: string }>({ client: db, ...options });
    await store.migrate();
    expect(await store.migrate()).toEqual([]);
    const first = await store.put({ id: 'acme', token: 'a' });
    const second = await store.put({ id: 'acme', token: 'b', status: 'stopped' });
    expect(second).toEqual({
      id: 'acme',
      token: 'b',
      status: 'stopped',
      version: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect(second.version).not.toBe(first.version);
    await db.exec(PostgresStore.migrationSql(options).down);
    expect(
      await values(
        `select relname as value from pg_class where relnamespace = (select oid from pg_namespace where nspname like 'we%')`,
      ),
    ).toEqual([]);
  });

  test.each([
    { ends: ['a', 'b'] },
    { ends: ['ä', 'ü'] },
  ])('keeps the objects of two tables apart whose long names end in $ends.0 and $ends.1', async ({ ends }) => {
    const [first, second] = ends.map((end) => ({ table: `${'long_'.repeat(12)}${end}`, client: db })) as [
      { table: string; client: PGlite },
      { table: string; client: PGlite },
    ];
    const store = new PostgresStore<{ token: string }>(first);
    await store.migrate();
    await new PostgresStore(second).migrate();
    await store.put({ id: 'acme', token: '1' });
    await db.exec(PostgresStore.migrationSql(second).down);
    expect(await store.put({ id: 'acme', token: '2' })).toMatchObject({ token: '2' });
    expect(await values(`select octet_length(proname) as value from pg_proc where proname like 'long%'`)).toEqual([63]);
  });

  test('does not cut a name that PostgreSQL keeps in full', async () => {
    await new PostgresStore({ client: db, table: 'x'.repeat(48) }).migrate();
    expect(await names()).toContain(`function ${'x'.repeat(48)}_hydrant_notify`);
  });
});
