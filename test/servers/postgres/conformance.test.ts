import pg from 'pg';
import { PostgresStore } from 'hydrant/postgres';
import { storeConformance, type StoreUnderTest } from 'hydrant/testing';
import { beforeAll, describe, test } from 'vitest';
import { ownTableUnderTest } from '../../stores/support/own-table.js';
import { databaseForTests } from '../support/databases.js';
import { GATEWAY_MAPPING, GATEWAY_TABLE, type GatewayConnection } from '../support/gateway-table.js';

const database = databaseForTests();
const { pool } = database;

const listening = {
  listenClient: () => new pg.Client({ connectionString: database.url, application_name: 'listener' }),
  watch: { backoff: { initialMs: 20, maxMs: 200 } },
};

const cutListeners = (): Promise<unknown> =>
  pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listener' and datname = current_database()`,
  );

const ALL = {
  getMany: true,
  getVersions: true,
  watch: true,
  invalidRows: true,
  bookkeeping: true,
  touch: true,
  interruption: true,
};

describe('PostgresStore on its own table', () => {
  storeConformance({ describe, it: test }, async (): Promise<StoreUnderTest> => {
    const store = new PostgresStore<{ readonly config: { readonly value: string } }>({ client: pool, ...listening });
    await store.migrate();
    await pool.query(
      'alter table hydrant_connections add column if not exists noted timestamptz; delete from hydrant_connections',
    );
    return { ...ownTableUnderTest(store, (text, values) => pool.query(text, values)), interrupt: cutListeners };
  }, ALL);
});

describe('PostgresStore mapped onto a table that exists', () => {
  beforeAll(async () => { await pool.query(GATEWAY_TABLE); });

  storeConformance({ describe, it: test }, async (): Promise<StoreUnderTest> => {
    const store = new PostgresStore<GatewayConnection>({ client: pool, ...GATEWAY_MAPPING, ...listening });
    await store.migrate();
    await pool.query('delete from chat_connections');
    return {
      store,
      write: (id, { status, config }) =>
        store.put({ id, status, organizationId: 'o1', platform: 'slack', config: { value: config } }),
      remove: (id) => store.delete(id),
      configOf: (record) => (record as unknown as GatewayConnection).config.value,
      writeInvalid: (id) =>
        pool.query(
          `insert into chat_connections (id, config) values ($1, '{"token":"secret"}') on conflict (id) do update
            set config = excluded.config`,
          [id],
        ),
      bookkeep: (id) =>
        pool.query(`update chat_connections set last_error = 'timeout', status = 'error', updated_at = now() where id = $1`, [
          id,
        ]),
      touch: (id) => store.touch(id),
      interrupt: cutListeners,
    };
  }, ALL);
});

describe('PostgresStore mapped onto a table with uuids', () => {
  beforeAll(async () => {
    await pool.query(
      'create table workspaces (key uuid primary key, settings text not null, enabled boolean not null default true)',
    );
  });

  storeConformance({ describe, it: test }, async (): Promise<StoreUnderTest> => {
    const store = new PostgresStore<{ settings: string }>({
      client: pool,
      table: 'public.workspaces',
      idType: 'uuid',
      columns: { id: 'key', config: ['settings'] },
      stopped: 'not enabled',
      mapRow: ({ settings }) => ({ settings: settings as string }),
      toRow: ({ settings, status }) => ({ settings, enabled: status === 'active' }),
      ...listening,
    });
    await store.migrate();
    await pool.query('delete from workspaces');
    return {
      store,
      write: (id, { status, config }) => store.put({ id, status, settings: config }),
      remove: (id) => store.delete(id),
      configOf: (record) => (record as unknown as { settings: string }).settings,
      touch: (id) => store.touch(id),
      interrupt: cutListeners,
    };
  }, {
    getMany: true, getVersions: true, watch: true, touch: true, interruption: true,
    makeId: (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  });
});
