import pg from 'pg';
import { PostgresStore } from 'hydrant/postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import { databaseForTests } from '../support/databases.js';
import { GATEWAY_MAPPING, GATEWAY_TABLE, type GatewayConnection } from '../support/gateway-table.js';

const database = databaseForTests();
const { pool } = database;
let store: PostgresStore<GatewayConnection>;

beforeEach(async () => {
  await pool.query(`drop table if exists chat_connections; ${GATEWAY_TABLE}`);
  store = new PostgresStore({ client: pool, ...GATEWAY_MAPPING });
  await store.migrate();
  await pool.query(`insert into chat_connections (id, config) values ('acme', '{"value":"a"}')`);
});

const version = async (): Promise<string | undefined> => (await store.get('acme'))?.version;

/** Whether a statement gives the row a new version. */
async function bumps(statement: string, client: pg.Pool | pg.Client = pool): Promise<boolean> {
  const before = await version();
  expect((await store.getVersions(['acme'])).get('acme')).toBe(before);
  await client.query(statement);
  const after = await version();
  expect((await store.getVersions(['acme'])).get('acme')).toBe(after);
  return after !== before;
}

describe('the version of a mapped row', () => {
  test('changes with the configuration columns and whether the row is stopped, and with nothing else', async () => {
    expect(await bumps(`update chat_connections set config = '{"value":"b"}'`)).toBe(true);
    expect(await bumps(`update chat_connections set config = '{"value": "b" }'`)).toBe(false);
    expect(await bumps(`update chat_connections set organization_id = 'o2'`)).toBe(true);
    expect(await bumps(`update chat_connections set last_error = 'boom', updated_at = now()`)).toBe(false);
    expect(await bumps(`update chat_connections set status = 'error'`)).toBe(false);
    expect(await bumps(`update chat_connections set status = 'stopped'`)).toBe(true);
    expect(await bumps(`update chat_connections set status = 'stopped', last_error = null`)).toBe(false);
    expect(await bumps(`update chat_connections set status = 'starting'`)).toBe(true);
  });

  test('a row with a status that the store does not know is active', async () => {
    await pool.query(`update chat_connections set status = 'error'`);
    expect(await store.get('acme')).toMatchObject({ status: 'active' });
  });

  test('is missing while the row is hidden, and the same as before once it is visible again', async () => {
    const before = await version();
    await pool.query('update chat_connections set deleted_at = now()');
    expect(await version()).toBeUndefined();
    expect((await store.getVersions(['acme'])).size).toBe(0);
    await pool.query('update chat_connections set deleted_at = null');
    expect(await version()).toBe(before);
  });

  test('differs between two rows that differ only in their id', async () => {
    await pool.query(`insert into chat_connections (id, config) values ('b', '{"value":"a"}')`);
    expect((await store.get('b'))?.version).not.toBe(await version());
  });

  test('includes changes by other triggers', async () => {
    await pool.query(`
      create function normalise() returns trigger language plpgsql as
        $$ begin new.config = '{"value":"normal"}'; return new; end $$;
      create trigger yyy_normalise before update on chat_connections for each row execute function normalise()`);
    expect(await bumps('update chat_connections set updated_at = now()')).toBe(true);
    expect(await bumps(`update chat_connections set config = '{"value":"other"}'`)).toBe(false);
  });

  test('is maintained for a role that may only write the table', async () => {
    const role = `writer_${database.name}`;
    await pool.query(
      `create role ${role}; grant select, insert, update, delete on chat_connections to ${role};
        grant usage on schema public to ${role}`,
    );
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query(`set role ${role}`);
      expect(await bumps(`update chat_connections set config = '{"value":"b"}'`, client)).toBe(true);
      await client.query(`insert into chat_connections (id, config) values ('new', '{"value":"n"}')`);
    } finally {
      await client.end();
      await pool.query(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test('a change of the type of a column does not fail connected clients', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      expect(await bumps(`update chat_connections set config = '{"value":"b"}'`, client)).toBe(true);
      await pool.query(
        `alter table chat_connections add column note text, alter column status type varchar(40),
          alter column config type json using config::json`,
      );
      expect(await bumps(`update chat_connections set config = '{"value":"c"}'`, client)).toBe(true);
      await pool.query(`alter table chat_connections drop column last_error`);
      expect(await bumps(`update chat_connections set status = 'stopped'`, client)).toBe(true);
      expect(await bumps(`update chat_connections set note = 'n'`, client)).toBe(false);
    } finally {
      await client.end();
    }
  });

  test('works on a partitioned table', async () => {
    await pool.query(`
      create table parts (id text primary key, config text) partition by hash (id);
      create table parts_0 partition of parts for values with (modulus 2, remainder 0);
      create table parts_1 (config text, id text not null);
      alter table parts attach partition parts_1 for values with (modulus 2, remainder 1)`);
    const parts = new PostgresStore<{ config: string }>({
      client: pool, table: 'parts', columns: { config: ['config'] }, stopped: 'false',
      mapRow: ({ config }) => ({ config: config as string }), toRow: ({ config }) => ({ config }),
    });
    await parts.migrate();
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const versions = new Set<string>();
    for (const config of ['1', '2']) for (const id of ids) versions.add((await parts.put({ id, config })).version);
    expect(versions.size).toBe(12);
    await pool.query('drop table parts');
  });

  test('changes with a row of a partition that is on another server', async () => {
    const { hostname, port, username, password } = new URL(database.url);
    await pool.query(`create extension postgres_fdw;
      create server far foreign data wrapper postgres_fdw options (host '${hostname}', port '${port}', dbname '${database.name}');
      create user mapping for current_user server far options (user '${username}', password '${password}');
      create table theirs (id text, config text);
      insert into theirs values ('a', '1');
      create table parts (id text, config text) partition by list (id)`);
    const parts = new PostgresStore<{ config: string }>({
      client: pool, table: 'parts', columns: { config: ['config'] }, stopped: 'false', versions: 'hash',
      mapRow: ({ config }) => ({ config: config as string }),
    });
    const learnTheTable = () => parts.getVersions(['a']);
    await learnTheTable();
    await pool.query(
      `create foreign table parts_far partition of parts for values in ('a') server far options (table_name 'theirs')`,
    );
    const seen = new Set<unknown>();
    for (const config of ['1', '2', '3']) {
      // The second edit takes the place of the row before the first.
      for (const value of ['between', config]) {
        await pool.query('update theirs set config = $1', [value]);
        await pool.query('vacuum theirs');
      }
      const checked = (await parts.getVersions(['a'])).get('a');
      expect(checked).toBe((await parts.get('a'))?.version);
      seen.add(checked);
    }
    expect(seen.size).toBe(3);
    await pool.query('drop table parts, theirs; drop server far cascade; drop extension postgres_fdw');
  });

  test('of a partition in a file can be read, whether it is attached before or after the first read', async () => {
    const parts = (): PostgresStore<{ config: string }> => new PostgresStore({
      client: pool, table: 'parts', columns: { config: ['config'] }, stopped: 'false', versions: 'hash',
      mapRow: ({ config }) => ({ config: config as string }),
    });
    await pool.query(`create extension file_fdw; create server files foreign data wrapper file_fdw;
      create table parts (id text, config text) partition by list (id)`);
    const before = parts();
    await before.getVersions(['a']);
    await pool.query(
      `create foreign table parts_file partition of parts for values in ('a') server files options (program 'echo "a\t1"')`,
    );
    for (const reader of [before, parts()])
      expect((await reader.getVersions(['a'])).get('a')).toBe((await reader.get('a'))?.version ?? 'none');
    await pool.query('drop table parts; drop server files; drop extension file_fdw');
  });
});
