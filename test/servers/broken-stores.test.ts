import { Redis } from 'ioredis';
import pg from 'pg';
import { PostgresStore, type PostgresClient } from 'hydrant/postgres';
import { RedisStore, type IoredisClient } from 'hydrant/redis';
import type { StoreUnderTest } from 'hydrant/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { conformanceFailures } from '../testing/support/conformance.js';
import { databaseForTests } from './support/databases.js';
import { testPrefix } from './support/redis-clients.js';

interface Row { readonly config: { readonly value: string } }
const CAPABILITIES = { getMany: true, getVersions: true, watch: true, hintTimeoutMs: 300 };
const valueOf = (record: unknown): string => (record as Row).config.value;

describe('a broken PostgresStore fails the conformance suite', () => {
  const database = databaseForTests();
  const { pool } = database;
  beforeEach(async () => {
    await pool.query('drop schema public cascade; create schema public');
    await new PostgresStore({ client: pool }).migrate();
  });

  async function failures(client: PostgresClient = pool): Promise<string[]> {
    const writer = new PostgresStore<Row>({ client: pool });
    const store = new PostgresStore<Row>({
      client,
      listenClient: () => new pg.Client({ connectionString: database.url }),
      watch: { timeoutMs: 500 },
    });
    return conformanceFailures(async (): Promise<StoreUnderTest> => {
      await pool.query('delete from hydrant_connections');
      return {
        store,
        write: (id, { status, config }) => writer.put({ id, status, config: { value: config } }),
        remove: (id) => writer.delete(id),
        configOf: valueOf,
      };
    }, CAPABILITIES);
  }

  test('but not in its original form', async () => {
    expect(await failures()).toEqual([]);
  });

  /** Replaces the generated version by one that a trigger sets. */
  const versionBy = (statement: string): Promise<unknown> => pool.query(`
    alter table hydrant_connections drop column version;
    alter table hydrant_connections add column version bigint;
    create sequence numbers;
    create function set_version() returns trigger language plpgsql as $$ begin new.version := ${statement}; return new; end $$;
    create trigger set_version before insert or update on hydrant_connections for each row execute function set_version()`);

  test('with updated_at as its version', async () => {
    await versionBy('extract(epoch from clock_timestamp())::bigint');
    expect(await failures()).toContain('versions: every edit, stop and start makes a new one');
  });

  test('with a version that is counted per row', async () => {
    await versionBy(`case tg_op when 'INSERT' then 1 else old.version + 1 end`);
    const rule = 'versions: equal versions mean equal configuration and status, also after delete and recreate';
    expect(await failures()).toContain(rule);
  });

  test('with a version that a stop does not change', async () => {
    await versionBy(`case when tg_op = 'UPDATE' and old.data = new.data then old.version else nextval('numbers') end`);
    expect(await failures()).toContain('versions: every edit, stop and start makes a new one');
  });

  test('when it reads in a transaction that was opened earlier', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('begin isolation level repeatable read; select count(*) from hydrant_connections');
    expect(await failures(client)).toContain('get: a read that begins after a write was committed sees it');
    await client.end();
  });

  test('without its notifications', async () => {
    await pool.query('drop trigger hydrant_notify_update on hydrant_connections');
    expect(await failures()).toEqual(['watch: reports an edit, a stop, a delete and a creation, each after it can be read']);
  });
});

describe.skipIf(inject('redisUrl') === undefined)('a broken RedisStore fails the conformance suite', () => {
  const prefix = testPrefix();
  let redis: Redis;
  beforeAll(() => { redis = new Redis(inject('redisUrl') as string); });
  afterAll(async () => {
    await redis.del(`${prefix}records`, `${prefix}versions`, `${prefix}counter`);
    redis.disconnect();
  });

  /** A store whose scripts were changed on their way. */
  function failures(change: (script: string) => string): Promise<string[]> {
    const client: IoredisClient = {
      hmget: (key, ...fields) => redis.hmget(key, ...fields),
      eval: (script, keys, ...args) => redis.eval(change(script), keys, ...args),
      duplicate: () => redis.duplicate(),
    };
    const store = new RedisStore<Row>({ client, prefix });
    return conformanceFailures(async (): Promise<StoreUnderTest> => {
      await redis.del(`${prefix}records`, `${prefix}versions`);
      return {
        store,
        write: (id, { status, config }) => store.put({ id, status, config: { value: config } }),
        remove: (id) => store.delete(id),
        configOf: valueOf,
      };
    }, CAPABILITIES);
  }

  test('but not in its original form', async () => {
    expect(await failures((script) => script)).toEqual([]);
  });

  test('with versions that repeat', async () => {
    expect(await failures((script) => script.replace(`.. '-' .. ARGV[3]`, `* 0 .. '-'`))).toContain(
      'versions: every edit, stop and start makes a new one',
    );
  });

  test('with versions that are written beside the row', async () => {
    expect(await failures((script) => script.replace(`redis.call('HSET', KEYS[2], id, version)`, ''))).toContain(
      'versions: getVersions agrees with get',
    );
  });

  test('that leaves the version of a deleted row', async () => {
    expect(await failures((script) => script.replace(`redis.call('HDEL', KEYS[2], ARGV[1])`, ''))).toContain(
      'versions: getVersions agrees with get',
    );
  });

  test('without its notifications', async () => {
    expect(await failures((script) => script.replace(/redis\.call\('PUBLISH'.*cjson\.encode\(\{ count, id \}\)\)/, '')))
      .toContain('watch: reports an edit, a stop, a delete and a creation, each after it can be read');
  });
});
