import pg from 'pg';
import { ConnectionRegistry } from 'hydrant';
import { PostgresStore } from 'hydrant/postgres';
import { RecordingFactory, storeConformance, type StoreUnderTest } from 'hydrant/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDatabase, openPool, type TestDatabase } from '../support/databases.js';
import { startPgBouncer } from '../support/pgbouncer.mjs';
import type { TestServer } from '../support/server.mjs';

const database: TestDatabase = await createDatabase();
const bouncer: TestServer | undefined = await startPgBouncer(database.url, { poolSize: 2 }).catch((error: unknown) => {
  if (process.env['REQUIRE_SERVERS'] === '1') throw error;
  process.stderr.write(
    `\n*** NO PGBOUNCER: ${String(error)}\n*** The tests that need it are SKIPPED. REQUIRE_SERVERS=1 makes this a failure.\n\n`,
  );
  return undefined;
});
afterAll(async () => {
  await bouncer?.stop();
  await database[Symbol.asyncDispose]();
});

describe.skipIf(bouncer === undefined)('PostgresStore through PgBouncer in transaction mode', () => {
  const url = bouncer?.url ?? '';
  let pool: pg.Pool;
  beforeAll(() => { pool = openPool(url, 10); });
  afterAll(() => pool.end());

  describe('keeps its whole contract, hints aside', () => {
    storeConformance({ describe, it: test }, async (): Promise<StoreUnderTest> => {
      const store = new PostgresStore<{ config: { value: string } }>({ client: pool });
      await store.migrate();
      await pool.query('delete from hydrant_connections');
      return {
        store,
        write: (id, { status, config }) => store.put({ id, status, config: { value: config } }),
        remove: (id) => store.delete(id),
        configOf: (record) => (record as unknown as { config: { value: string } }).config.value,
        touch: (id) => store.touch(id),
      };
    }, { getMany: true, getVersions: true, touch: true });
  });

  describe('with a registry on top', () => {
    beforeEach(async () => {
      await new PostgresStore({ client: pool }).migrate();
      await pool.query('delete from hydrant_connections');
    });

    test('serves more connections at once than the pooler has servers, and sees every edit', async () => {
      const store = new PostgresStore<{ n: number }>({ client: pool });
      const factory = new RecordingFactory();
      await using registry = new ConnectionRegistry({ store, factory });
      const ids = Array.from({ length: 50 }, (_, n) => `c${n}`);
      await Promise.all(ids.map((id) => store.put({ id, n: 0 })));
      for (let n = 1; n <= 3; n += 1) {
        await Promise.all(ids.map(async (id) => {
          const { version } = await store.put({ id, n });
          await registry.use(id, (_instance, lease) => expect(lease.record.version).toBe(version));
        }));
      }
      expect(factory.count('created')).toBe(150);
    });

    test('refuses to listen through the pooler instead of hearing nothing', async () => {
      const store = new PostgresStore({
        client: pool,
        listenClient: () => new pg.Client({ connectionString: url }),
        watch: { timeoutMs: 500 },
      });
      await expect(store.watch?.({ changed() {}, gap() {} })).rejects.toThrow('No answer within 500 ms');
    });
  });
});
