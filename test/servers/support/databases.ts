import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/** A database of its own for one test file, on the server that the global set-up started. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly name: string;
  /** Ends with the database. */
  readonly pool: pg.Pool;
}

/** Creates an empty database. Disposing of it ends its pool, cuts every other connection and drops it. */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `hydrant_test_${randomBytes(6).toString('hex')}`;
  const url = new URL(inject('postgresUrl'));
  await asAdministrator(`create database ${name}`);
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
