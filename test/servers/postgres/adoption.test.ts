import pg from 'pg';
import { ConnectionRegistry } from 'hydrant';
import { PostgresStore } from 'hydrant/postgres';
import { RecordingFactory } from 'hydrant/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { databaseForTests } from '../support/databases.js';
import { GATEWAY_MAPPING, GATEWAY_TABLE, type GatewayConnection } from '../support/gateway-table.js';

const database = databaseForTests();
const { pool } = database;
beforeAll(async () => {
  await pool.query(GATEWAY_TABLE);
  await pool.query(
    `insert into chat_connections (id, config) values ('acme', '{"value":"first"}'), ('globex', '{"value":"first"}')`,
  );
});

describe('a gateway that has a table of connections already', () => {
  test('adopts it: its own SQL still works, and every use sees its writes', async () => {
    const store = new PostgresStore<GatewayConnection>({
      client: pool,
      ...GATEWAY_MAPPING,
      listenClient: () => new pg.Client({ connectionString: database.url }),
    });
    await store.migrate();
    const factory = new RecordingFactory<GatewayConnection & { id: string; version: string; status: 'active' | 'stopped' }>();
    await using registry = new ConnectionRegistry({ store, factory });
    const value = (): Promise<string> => registry.use('acme', (_instance, { record }) => record.config.value);

    expect(await value()).toBe('first');
    await pool.query(`update chat_connections set config = '{"value":"second"}', updated_at = now() where id = 'acme'`);
    expect(await value()).toBe('second');

    await pool.query(
      `update chat_connections set status = 'error', last_error = 'timeout', updated_at = now() where id = 'acme'`,
    );
    expect(await value()).toBe('second');
    expect(factory.count('create'), 'an error that the application stores restarts nothing').toBe(2);

    await pool.query(`update chat_connections set status = 'stopped' where id = 'acme'`);
    await expect(value()).rejects.toMatchObject({ code: 'CONNECTION_STOPPED' });
    await pool.query(`update chat_connections set status = 'active' where id = 'acme'`);
    expect(await value()).toBe('second');
    await pool.query(`update chat_connections set deleted_at = now() where id = 'acme'`);
    await expect(value()).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' });

    await registry.use('globex', () => {});
    await pool.query(`update chat_connections set deleted_at = now() where id = 'globex'`);
    await expect.poll(() => factory.live, { message: 'ended by the hint alone, without a use' }).toEqual([]);
  });
});
