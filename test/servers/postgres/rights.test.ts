import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { PostgresStore } from 'hydrant/postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GATEWAY_MAPPING, GATEWAY_TABLE, type GatewayConnection } from '../support/gateway-table.js';
import { startPostgres } from '../support/postgres.mjs';
import type { TestServer } from '../support/server.mjs';

const migrationOf01 = (name: string): Promise<string> => readFile(new URL(`hydrant-0.1/${name}.sql`, import.meta.url), 'utf8');

/** A type with a cast of its own: a cast to text runs its owner's SQL. */
const ATTACK = (triggerFunction: string): string => `
  create type pg_temp.t as (x int);
  create table pg_temp.loot (data text);
  create function pg_temp.f(pg_temp.t) returns text language plpgsql as $$
  begin
    execute 'create table if not exists public.stolen as select current_user::text as ran_as';
    execute 'grant select on public.stolen to public';
    return 'x';
  end $$;
  create cast (pg_temp.t as text) with function pg_temp.f(pg_temp.t);
  create table pg_temp.hydrant_connections (id pg_temp.t, status text, version bigint, data text);
  create sequence pg_temp.hydrant_connections_hydrant_version_seq;
  grant all on pg_temp.hydrant_connections_hydrant_version_seq to public;
  grant all on pg_temp.hydrant_connections to public;
  create trigger boom before insert or update on pg_temp.hydrant_connections for each row execute function ${triggerFunction}();
  insert into pg_temp.hydrant_connections values (row(1)::pg_temp.t, 'active', 1, '');
  update pg_temp.hydrant_connections set data = 'y'`;

describe.each([
  { which: 'embedded', ofDebian: false },
  { which: 'of the machine', ofDebian: true },
] as const)('rights, on the PostgreSQL that is $which', ({ ofDebian }) => {
  let server: TestServer;
  let owner: pg.Client;
  const open: pg.Client[] = [];
  const as = async (user: string): Promise<pg.Client> => {
    const client = new pg.Client({ host: '127.0.0.1', port: server.port, user, database: 'gateway' });
    open.push(client);
    await client.connect();
    return client;
  };

  beforeAll(async () => {
    server = await startPostgres({ own: true, ofDebian });
  }, 60_000);
  afterAll(() => server.stop());
  beforeEach(async () => {
    const admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    await admin.query('drop database if exists gateway with (force)');
    for (const role of ['gw_owner', 'app', 'reporting']) await admin.query(`drop role if exists ${role}`);
    for (const role of ['gw_owner', 'app', 'reporting']) await admin.query(`create role ${role} login`);
    await admin.query('create database gateway owner gw_owner');
    await admin.end();
    const superuser = await as('postgres');
    await superuser.query('grant create, usage on schema public to gw_owner; grant usage on schema public to public');
    owner = await as('gw_owner');
    return async () => {
      await Promise.all(open.splice(0).map((client) => client.end().catch(() => {})));
    };
  });
  const stolen = async (): Promise<unknown> => (await owner.query(`select to_regclass('public.stolen') as found`)).rows[0];

  test('the version trigger of 0.1.0 lent the rights of the role that migrated', async () => {
    await owner.query(await migrationOf01('own-table'));
    await (await as('reporting')).query(ATTACK('public.hydrant_connections_hydrant_version')).catch(() => {});
    expect(await stolen()).toEqual({ found: 'stolen' });
  });

  test('migrate() takes that function away, from the trigger of an attacker as well', async () => {
    await owner.query(await migrationOf01('own-table'));
    const reporting = await as('reporting');
    await reporting.query(ATTACK('public.hydrant_connections_hydrant_version').replace(/insert into[^]*/, ''));
    const found = await new PostgresStore({ client: owner }).migrate();
    expect(found).toContainEqual({ object: 'function hydrant_connections_hydrant_version()', problem: 'of hydrant 0.1' });
    await reporting.query(`insert into pg_temp.hydrant_connections values (row(1)::pg_temp.t, 'active', 1, '')`);
    await reporting.query(`update pg_temp.hydrant_connections set data = 'y'`);
    expect(await stolen()).toEqual({ found: null });
    expect(
      (await owner.query(`select count(*)::int as count from pg_proc where prosecdef and proname like '%hydrant%'`)).rows,
    ).toEqual([{ count: 0 }]);
  });

  test("no function of a new install runs with its owner's rights, or can be attached to a table by others", async () => {
    await owner.query(GATEWAY_TABLE);
    await new PostgresStore({ client: owner }).migrate();
    await new PostgresStore<GatewayConnection>({ client: owner, ...GATEWAY_MAPPING }).migrate();
    const { rows } = await owner.query<{
      name: string;
    }>(`select p.oid::regproc::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname in ('public', 'hydrant')`);
    expect(rows.map(({ name }) => name).toSorted()).toEqual([
      'hydrant."public.chat_connections_notify"',
      'hydrant_connections_hydrant_notify',
    ]);
    const reporting = await as('reporting');
    for (const { name } of rows) {
      await reporting.query('create table if not exists pg_temp.hydrant_connections (id text)');
      await expect(
        reporting.query(
          `create trigger boom after insert on pg_temp.hydrant_connections for each statement execute function ${name}()`,
        ),
      ).rejects.toMatchObject({ code: '42501' });
    }
    for (const statement of [
      'select * from hydrant."public.chat_connections"',
      'select * from chat_connections',
      'select * from public.hydrant_connections',
    ]) {
      await expect(reporting.query(statement)).rejects.toMatchObject({ code: '42501' });
    }
  });

  test('a role that sees only some rows of a table cannot touch the others', async () => {
    await owner.query(`${GATEWAY_TABLE}; grant select, update on chat_connections to app, reporting;
      alter table chat_connections enable row level security;
      create policy own on chat_connections to app using (organization_id = 'mine');
      create policy every on chat_connections to reporting using (true);
      insert into chat_connections (id, organization_id, config)
        values ('a', 'mine', '{"value":"a"}'), ('b', 'o1', '{"value":"b"}')`);
    await new PostgresStore<GatewayConnection>({ client: owner, ...GATEWAY_MAPPING }).migrate();
    expect(await new PostgresStore<GatewayConnection>({ client: owner, ...GATEWAY_MAPPING }).check()).toEqual([]);
    const app = await as('app');
    const theirs = new PostgresStore<GatewayConnection>({ client: app, ...GATEWAY_MAPPING });
    expect([...await theirs.getVersions(['a', 'b'])].map(([id]) => id)).toEqual(['a']);
    const touches = 'hydrant."public.chat_connections"';
    for (const statement of ['select * from $', 'update $ set version = 1', "insert into $ values ('b', 1)"])
      await expect(app.query(statement.replace('$', touches))).rejects.toMatchObject({ code: '42501' });
    const gateway = new PostgresStore<GatewayConnection>({ client: await as('reporting'), ...GATEWAY_MAPPING });
    await expect(gateway.touch('b')).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await owner.query(`grant usage on schema hydrant to reporting;
      grant select, insert, update on ${touches} to reporting`);
    const before = (await gateway.getVersions(['b'])).get('b');
    const again = new PostgresStore<GatewayConnection>({ client: await as('reporting'), ...GATEWAY_MAPPING });
    expect(await again.touch('b')).toBe(true);
    expect((await again.getVersions(['b'])).get('b')).not.toBe(before);
    expect(await theirs.getVersions(['b'])).toEqual(new Map());
  });

  describe('a role that may write a mapped table', () => {
    let app: pg.Client;
    let store: PostgresStore<GatewayConnection>;
    beforeEach(async () => {
      await owner.query(`${GATEWAY_TABLE}; grant select, insert, update, delete on chat_connections to app`);
      await new PostgresStore<GatewayConnection>({ client: owner, ...GATEWAY_MAPPING }).migrate();
      app = await as('app');
      store = new PostgresStore<GatewayConnection>({ client: app, ...GATEWAY_MAPPING });
    });

    const version = async (): Promise<unknown> => {
      const versions = await store.getVersions(['acme']);
      expect(versions.get('acme')).toBe((await store.get('acme'))?.version);
      return versions.get('acme');
    };
    /** Writes as the role does, and expects every write to be seen. */
    const everyWriteIsSeen = async (): Promise<void> => {
      await app.query(
        `insert into chat_connections (id, config) values ('acme', '{"value":"0"}') on conflict (id) do update
          set config = excluded.config`,
      );
      for (const n of [1, 2]) {
        const before = await version();
        await app.query(`update chat_connections set config = '{"value":"${n}"}' where id = 'acme'`);
        expect(await version()).not.toBe(before);
      }
      const active = await version();
      await app.query(`update chat_connections set status = 'stopped' where id = 'acme'`);
      expect(await version()).not.toBe(active);
      expect(await store.get('acme')).toMatchObject({ status: 'stopped' });
      await app.query(`delete from chat_connections where id = 'acme'`);
      expect(await version()).toBeUndefined();
    };

    test('writes it without another grant, touches its rows, and may do nothing else in the schema hydrant', async () => {
      await everyWriteIsSeen();
      await app.query(`insert into chat_connections (id, config) values ('acme', '{"value":"v"}')`);
      const before = await version();
      expect(await store.touch('acme')).toBe(true);
      expect(await version()).not.toBe(before);
      await expect(app.query('delete from hydrant."public.chat_connections"')).rejects.toMatchObject({ code: '42501' });
      await expect(app.query('create table hydrant.mine (id int)')).rejects.toMatchObject({ code: '42501' });
    });

    test.each([
      'drop schema hydrant cascade',
      'drop table hydrant."public.chat_connections"',
      'drop function hydrant."public.chat_connections_notify" cascade',
      'revoke all on schema hydrant from public, app',
      'revoke all on hydrant."public.chat_connections" from app',
      'alter table hydrant."public.chat_connections" drop column version',
      'truncate hydrant."public.chat_connections"',
      'alter table chat_connections disable trigger user',
      'alter table chat_connections drop column last_error, add column note text',
      'alter table chat_connections alter column config type json using config::json',
      `create type state as enum ('active', 'stopped', 'error');
        alter table chat_connections alter column status drop default, alter column status type state using status::state,
        alter column status set default 'active'`,
      `create schema elsewhere; create extension if not exists citext schema elsewhere; grant usage on schema elsewhere to app;
       alter table chat_connections alter column status type elsewhere.citext`,
      'alter table chat_connections alter column id type varchar(40)',
      'alter table chat_connections rename to before; create table chat_connections (like before including all); grant '
        + 'all on chat_connections to app',
    ])('writes it, and every write is seen, at once and after migrate(), after someone ran: %s', async (damage) => {
      await everyWriteIsSeen();
      const superuser = await as('postgres');
      await superuser.query(damage);
      await everyWriteIsSeen();
      await new PostgresStore<GatewayConnection>({ client: superuser, ...GATEWAY_MAPPING }).migrate();
      expect(await new PostgresStore<GatewayConnection>({ client: superuser, ...GATEWAY_MAPPING }).check()).toEqual([]);
      await everyWriteIsSeen();
      await app.query(`insert into chat_connections (id, config) values ('acme', '{"value":"v"}')`);
      expect(await store.touch('acme')).toBe(true);
    });

    test.each(['rename column id to key', 'rename column config to settings', 'drop column deleted_at'])(
      'still writes it when the options no longer fit: %s',
      async (damage) => {
        await (await as('postgres')).query(`alter table chat_connections ${damage}`);
        await app.query(`insert into chat_connections values ('acme', 'o1', 'slack', '{}')`);
        await app.query(`update chat_connections set platform = 'telegram'`);
        await app.query('delete from chat_connections');
        await expect(store.get('acme')).rejects.toThrow();
      },
    );
  });
});
