import { readFile } from 'node:fs/promises';
import { PostgresClaims, PostgresStore } from 'hydrant/postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import { databaseForTests } from '../support/databases.js';
import { GATEWAY_MAPPING, GATEWAY_TABLE, type GatewayConnection } from '../support/gateway-table.js';

const migrationOf01 = (name: string): Promise<string> => readFile(new URL(`hydrant-0.1/${name}.sql`, import.meta.url), 'utf8');

const database = databaseForTests();
const { pool } = database;
beforeEach(() => pool.query('drop schema if exists hydrant cascade; drop schema public cascade; create schema public'));

const names = async (): Promise<string[]> =>
  (
    await pool.query<{ name: string }>(`
  select 'relation ' || relname as name from pg_class where relnamespace = 'public'::regnamespace
  union all select 'column ' || attrelid::regclass || '.' || attname from pg_attribute
    where attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r') and attnum > 0
    and not attisdropped
  union all select 'function ' || proname from pg_proc where pronamespace = 'public'::regnamespace
  union all select 'trigger ' || tgname from pg_trigger where not tgisinternal`)
  ).rows
    .map(({ name }) => name)
    .toSorted();

describe('an install of hydrant 0.1', () => {
  test('mapped: reads correctly before it is converted, then has nothing of 0.1 left, and no version comes again', async () => {
    await pool.query(GATEWAY_TABLE);
    const untouched = await names();
    await pool.query(await migrationOf01('chat-connections'));
    await pool.query(`insert into chat_connections (id, config) values ('acme', '{"value":"a"}'), ('b', '{"value":"b"}')`);
    const old = (await pool.query<{ v: string }>('select hydrant_version::text as v from chat_connections')).rows.map(
      ({ v }) => v,
    );
    const store = new PostgresStore<GatewayConnection>({ client: pool, ...GATEWAY_MAPPING });
    const before = await store.getVersions(['acme', 'b']);
    expect(await store.put({ id: 'acme', organizationId: 'o1', platform: 'slack', config: { value: 'c' } })).toMatchObject({
      config: { value: 'c' },
    });
    const problems = (await store.check()).filter(({ problem }) => problem === 'of hydrant 0.1').map(({ object }) => object);
    expect(problems).toEqual([
      'column hydrant_version of public.chat_connections',
      'function chat_connections_hydrant_notify()',
      'function chat_connections_hydrant_version()',
      'sequence chat_connections_hydrant_version_seq',
      'trigger zzz_hydrant_version on public.chat_connections',
    ]);
    await store.migrate();
    expect(await store.check()).toEqual([]);
    expect((await names()).filter((name) => !name.startsWith('trigger hydrant_notify_'))).toEqual(untouched);
    const after = await store.getVersions(['acme', 'b']);
    expect(after.get('b')).toBe(before.get('b'));
    expect(after.get('acme')).not.toBe(before.get('acme'));
    for (const version of after.values()) expect(old).not.toContain(version);
  });

  test.each([
    { what: 'its sequence lost', damage: 'drop sequence chat_connections_hydrant_version_seq cascade' },
    { what: 'its column lost', damage: 'alter table chat_connections drop column hydrant_version' },
    { what: 'its function lost', damage: 'drop function chat_connections_hydrant_version cascade' },
    { what: 'its triggers disabled', damage: 'alter table chat_connections disable trigger user' },
  ])('mapped, with $what, is converted as well', async ({ damage }) => {
    await pool.query(GATEWAY_TABLE);
    const untouched = await names();
    await pool.query(`${await migrationOf01('chat-connections')}; ${damage}`);
    const store = new PostgresStore<GatewayConnection>({ client: pool, ...GATEWAY_MAPPING });
    await store.migrate();
    expect(await store.check()).toEqual([]);
    expect((await names()).filter((name) => !name.startsWith('trigger hydrant_notify_'))).toEqual(untouched);
    await pool.query(`insert into chat_connections (id, config) values ('acme', '{"value":"a"}')`);
    expect(await store.get('acme')).toMatchObject({ config: { value: 'a' } });
  });

  test('mapped, is removed by down alone', async () => {
    await pool.query(GATEWAY_TABLE);
    const untouched = await names();
    await pool.query(await migrationOf01('chat-connections'));
    await pool.query(PostgresStore.migrationSql(GATEWAY_MAPPING).down);
    expect(await names()).toEqual(untouched);
  });

  test('with a table of its own keeps every row, and changes every version', async () => {
    await pool.query(await migrationOf01('own-table'));
    await pool.query(
      `insert into hydrant_connections (id, status, data) values ('acme', 'active', '{"n":1}'), ('b', 'stopped', '{"n":2}')`,
    );
    const old = (await pool.query<{ v: string }>('select version::text as v from hydrant_connections')).rows.map(({ v }) => v);
    const store = new PostgresStore<{ n: number }>({ client: pool });
    await store.migrate();
    expect(await store.check()).toEqual([]);
    const records = await store.list();
    expect(records).toMatchObject([{ id: 'acme', status: 'active', n: 1 }, { id: 'b', status: 'stopped', n: 2 }]);
    for (const { version } of records) expect(old).not.toContain(version);
    const putByAReplicaOf01 = () => pool.query(`
      insert into hydrant_connections (id, status, data) values ('acme', 'active', '{"n":3}')
      on conflict (id) do update set id = excluded.id, status = excluded.status, data = excluded.data returning version::text`);
    await putByAReplicaOf01();
    expect((await store.get('acme'))?.version).not.toBe(records[0]?.version);
    expect((await names()).filter((name) => /version(_seq)?$/.test(name))).toEqual(['column hydrant_connections.version']);
  });

  test('claims are kept, tokens go on, and the sequence stays for replicas of 0.1', async () => {
    await pool.query(await migrationOf01('claims'));
    await pool.query(
      `insert into hydrant_claims (connection_id, owner, token, expires_at)
        values ('c1', 'old', nextval('hydrant_claims_token_seq'), now() - interval '1 s')`,
    );
    const { rows: [old] } = await pool.query<{ token: string }>('select token::text from hydrant_claims');
    const claims = new PostgresClaims({ client: pool });
    expect(await claims.migrate()).toEqual([{ object: 'column ttl_ms of "hydrant_claims_replicas"', problem: 'missing' }]);
    expect(await claims.check()).toEqual([]);
    const [taken] = await claims.claim({ replica: 'a', ttlMs: 60_000, ids: ['c1'], limit: 1, freeForMs: 0 });
    expect(taken!.token).toBeGreaterThan(BigInt(old!.token));
  });

  test.each([
    { object: 'sequence "hydrant_claims_token_seq"', damage: 'drop sequence hydrant_claims_token_seq cascade' },
    { object: 'table "hydrant_claims_replicas"', damage: 'drop table hydrant_claims_replicas' },
    { object: 'table "hydrant_claims"', damage: 'drop table hydrant_claims cascade' },
    { object: 'column notes of "hydrant_claims"', damage: 'alter table hydrant_claims drop column notes' },
    { object: 'primary key of "hydrant_claims"', damage: 'alter table hydrant_claims drop constraint hydrant_claims_pkey' },
    {
      object: 'primary key of "hydrant_claims_replicas"',
      damage: 'alter table hydrant_claims_replicas drop constraint hydrant_claims_replicas_pkey',
    },
    { object: 'index "hydrant_claims_owner_idx"', damage: 'drop index hydrant_claims_owner_idx' },
  ])('claims whose $object is lost are found and repaired', async ({ object, damage }) => {
    const claims = new PostgresClaims({ client: pool });
    await claims.migrate();
    await pool.query(damage);
    expect(await claims.check()).toContainEqual({ object, problem: 'missing' });
    expect(await claims.migrate()).toContainEqual({ object, problem: 'missing' });
    expect(await claims.check()).toEqual([]);
    expect(await claims.claim({ replica: 'a', ttlMs: 60_000, ids: ['c1'], limit: 1, freeForMs: 0 })).toHaveLength(1);
  });
});

test('migrations send no notices, which postgres.js prints', async () => {
  await pool.query(GATEWAY_TABLE);
  const client = await pool.connect();
  const notices: unknown[] = [];
  client.on('notice', ({ message }) => notices.push(message));
  const migrations = [PostgresStore.migrationSql(), PostgresStore.migrationSql(GATEWAY_MAPPING), PostgresClaims.migrationSql()];
  for (const { up, down } of migrations) for (const statement of [up, up, down, down]) await client.query(statement);
  expect(notices).toEqual([]);
  await client.query('drop table if exists hydrant_claims');
  expect(notices).toHaveLength(1);
  client.release();
});

describe('the lock that lets migrations take turns', () => {
  test.each([
    { name: 'PostgresStore', make: () => new PostgresStore({ client: pool }) },
    { name: 'PostgresClaims', make: () => new PostgresClaims({ client: pool }) },
  ])('migrate of $name waits for it no longer than lockTimeoutMs', async ({ make }) => {
    const holder = await pool.connect();
    await holder.query(`begin; select pg_advisory_xact_lock(hashtextextended('hydrant.migrate', 0))`);
    await expect(make().migrate({ lockTimeoutMs: 50 })).rejects.toMatchObject({ code: '55P03' });
    await holder.query('rollback');
    holder.release();
    await make().migrate({ lockTimeoutMs: 50 });
  });
});
