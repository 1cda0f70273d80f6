import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';

/** A database of its own for one test file, on the server that the global set-up started. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly name: string;
  /** Ends with the database. */
  readonly pool: pg.Pool;
}

/** Creates an empty database. Disposing of it ends its pool, cuts every other connection and drops it. */
export async function createDatabase(): Promise<TestDatabase> {
  const database = plannedDatabase();
  await asAdministrator(`create database ${database.name}`);
  return database;
}

/** An empty database for the tests of a file or a `describe`. It is created before them and dropped after them. */
export function databaseForTests(): TestDatabase {
  const database = plannedDatabase();
  beforeAll(() => asAdministrator(`create database ${database.name}`));
  afterAll(() => database[Symbol.asyncDispose]());
  return database;
}

/** A database that does not exist yet. */
function plannedDatabase(): TestDatabase {
  const name = `hydrant_test_${randomBytes(6).toString('hex')}`;
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  const pool = openPool(url.href);
  return {
    url: url.href,
    name,
    pool,
    async [Symbol.asyncDispose]() {
      await pool.end();
      await asAdministrator(`drop database if exists ${name} with (force)`);
    },
  };
}

/** A pool that survives the loss of its connections. */
export function openPool(url: string, max = 8): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on('error', () => {});
  return pool;
}

async function asAdministrator(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
