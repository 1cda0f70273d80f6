import pg from 'pg';
import { PostgresStore } from 'hydrant/postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import { databaseForTests } from '../support/databases.js';
import { GATEWAY_MAPPING, GATEWAY_TABLE, type GatewayConnection } from '../support/gateway-table.js';

const database = databaseForTests();
const { pool } = database;

const mapped = (): PostgresStore<GatewayConnection> => new PostgresStore({ client: pool, ...GATEWAY_MAPPING });

const one = async <T>(query: string): Promise<T> => (await pool.query(query)).rows[0]?.value as T;

/** Everything in the schema that has a name. */
const objects = (): Promise<string> =>
  one(`
  select string_agg(name, ' ' order by name) as value from (
    select 'table ' || table_name || '.' || column_name || ' ' || data_type || ' '
      || coalesce(column_default, '') || ' ' || is_nullable as name
      from information_schema.columns where table_schema = 'public'
    union all select 'sequence ' || sequence_name from information_schema.sequences where sequence_schema = 'public'
    union all select 'function ' || proname from pg_proc where pronamespace = 'public'::regnamespace
    union all select 'trigger ' || tgname from pg_trigger where not tgisinternal
    union all select 'schema ' || nspname from pg_namespace where nspname !~ '^pg_'
    union all select 'index ' || indexname from pg_indexes where schemaname = 'public') everything`);

/** The table's triggers. */
const triggers = (): Promise<string> =>
  one(`select string_agg(tgname, ' ' order by tgname) as value from pg_trigger where not tgisinternal`);

/** Holds a lock on the table while `work` runs, as a long transaction that writes does. */
async function whileWriting<T>(
  work: () => Promise<T>, statement = `update chat_connections set last_error = 'x' where id = 'c1'`,
): Promise<T> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(`begin; ${statement}`);
    return await work();
  } finally {
    await client.end();
  }
}

describe('adopting a table that exists', () => {
  beforeEach(async () => {
    await pool.query(`drop schema if exists hydrant cascade; drop schema public cascade; create schema public; ${GATEWAY_TABLE}`);
    await pool.query(`insert into chat_connections (id, config, deleted_at)
      select 'c' || n, jsonb_build_object('value', n::text), case when n % 10 = 0 then now() end
      from generate_series(1, 10000) n`);
  });

  test('rewrites no row, adds no column and keeps what is there', async () => {
    const filenode = await one(`select relfilenode as value from pg_class where relname = 'chat_connections'`);
    const size = await one(`select pg_relation_size('chat_connections') as value`);
    await mapped().migrate();
    expect(await one(`select relfilenode as value from pg_class where relname = 'chat_connections'`)).toBe(filenode);
    expect(await one(`select pg_relation_size('chat_connections') as value`)).toBe(size);
    expect(await mapped().get('c1')).toEqual({
      id: 'c1',
      version: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      status: 'active',
      organizationId: 'o1',
      platform: 'slack',
      config: { value: '1' },
    });
    expect(await mapped().get('c10')).toBeUndefined();
    expect((await mapped().list()).length).toBe(9_000);
  });

  test('waits for a lock no longer than lockTimeoutMs, and then has changed nothing', async () => {
    const before = await objects();
    await whileWriting(async () => {
      await expect(mapped().migrate({ lockTimeoutMs: 50 })).rejects.toMatchObject({ code: '55P03' });
    });
    expect(await objects()).toBe(before);
    await mapped().migrate({ lockTimeoutMs: 50 });
    expect(await objects()).not.toBe(before);
  });

  test('locks nothing when there is nothing to do', async () => {
    await mapped().migrate();
    const before = await objects();
    await whileWriting(() => mapped().migrate({ lockTimeoutMs: 1 }));
    expect(await objects()).toBe(before);
  });

  test('a table that is locked for long fails neither check nor migrate when there is nothing to do', async () => {
    await mapped().migrate();
    await whileWriting(async () => {
      expect({ found: await mapped().check(), repaired: await mapped().migrate() }).toEqual({ found: [], repaired: [] });
    }, 'lock table chat_connections in access exclusive mode');
  });

  test('many replicas may migrate at once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => mapped().migrate()));
    await expect(mapped().touch('c1')).resolves.toBe(true);
  });

  test('can be undone, and leaves nothing behind', async () => {
    const before = await objects();
    const { up, down } = PostgresStore.migrationSql(GATEWAY_MAPPING);
    await pool.query(`begin; ${up}; commit`);
    expect(await mapped().touch('c1')).toBe(true);
    await pool.query(`begin; ${down}; commit`);
    expect(await objects()).toBe(before);
    await pool.query(`begin; ${down}; commit`);
    expect(await one(`select count(*)::int as value from chat_connections`)).toBe(10_000);
    await pool.query(`update chat_connections set config = '{}'`);
  });

  test('the SQL for a migration file does the same as migrate(), and may run twice', async () => {
    await mapped().migrate();
    const migrated = await objects();
    const { up } = PostgresStore.migrationSql(GATEWAY_MAPPING);
    await pool.query(`begin; ${up}; commit`);
    expect(await objects()).toBe(migrated);
    await pool.query(`drop schema if exists hydrant cascade; drop schema public cascade; create schema public; ${GATEWAY_TABLE}`);
    for (const statement of [up, up]) await pool.query(statement);
    expect(await objects()).toBe(migrated);
    await whileWriting(() => mapped().migrate({ lockTimeoutMs: 1 }));
  });

  test('versions by touch do not repeat after down and up', async () => {
    const { up, down } = PostgresStore.migrationSql(GATEWAY_MAPPING);
    const seen: (string | undefined)[] = [];
    for (let n = 0; n < 3; n += 1) {
      await pool.query(up);
      await mapped().touch('c1');
      seen.push((await mapped().get('c1'))?.version);
      await pool.query(down);
    }
    expect(new Set(seen).size).toBe(3);
  });

  test('without notify adds no notification, and removes an existing one', async () => {
    await mapped().migrate();
    expect(await triggers()).toBe('hydrant_notify_delete hydrant_notify_insert hydrant_notify_truncate hydrant_notify_update');
    await new PostgresStore<GatewayConnection>({ client: pool, ...GATEWAY_MAPPING, notify: false }).migrate();
    expect(await triggers()).toBeNull();
  });

  test('an option that changes which columns make a version needs no migration of versions', async () => {
    await mapped().migrate();
    const wider = new PostgresStore<GatewayConnection>({
      client: pool,
      ...GATEWAY_MAPPING,
      columns: { config: ['config', 'last_error'] },
    });
    await wider.migrate();
    const before = (await wider.get('c1'))?.version;
    await pool.query(`update chat_connections set last_error = 'x' where id = 'c1'`);
    expect((await wider.get('c1'))?.version).not.toBe(before);
  });
});

describe('the store\'s own table', () => {
  beforeEach(() => pool.query(`drop schema public cascade; create schema public`));

  test('is created and removed again, and leaves nothing behind', async () => {
    const before = await objects();
    const store = new PostgresStore({ client: pool });
    await store.migrate();
    await store.migrate();
    await store.put({ id: 'acme' });
    await pool.query(PostgresStore.migrationSql().down);
    expect(await objects()).toBe(before);
    await expect(store.get('acme')).rejects.toMatchObject({ code: '42P01' });
  });

  test('may be created by many replicas at once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => new PostgresStore({ client: pool }).migrate()));
    await expect(new PostgresStore({ client: pool }).put({ id: 'acme' })).resolves.toMatchObject({ status: 'active' });
  });
});
