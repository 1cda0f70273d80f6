import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, expect, inject, vi } from 'vitest';
import type { Writer } from './cases.js';

export const POSTGRES = 'PostgreSQL 18';

/** The schema lines that the guide shows. */
export const BOTS = readFileSync(new URL('../recipes/postgres.sql', import.meta.url), 'utf8');

export interface PostgresDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly bots: Writer;
  /** Cuts every connection that listens. */
  cutListeners(): Promise<unknown>;
}

const CUT_LISTENERS = `
  select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'`;

/** A database of its own for one test file, with the table `bots`; DATABASE_URL names it to the recipe. */
export async function postgresDatabase(): Promise<PostgresDatabase> {
  const name = `hydrant_test_${randomBytes(6).toString('hex')}`;
  const url = new URL(inject('postgresUrl'));
  await asAdministrator(`create database ${name}`);
  url.pathname = `/${name}`;
  process.env['DATABASE_URL'] = url.href;
  const pool = new pg.Pool({ connectionString: url.href, max: 4 });
  pool.on('error', () => {});
  await pool.query(BOTS);
  afterAll(async () => {
    await pool.end();
    // A client whose connection ends while it closes would report an error.
    await vi.waitFor(async () => {
      expect(await asAdministrator(`select from pg_stat_activity where datname = '${name}'`)).toEqual([]);
    }, 10_000);
    await asAdministrator(`drop database if exists ${name} with (force)`);
  });
  return { url: url.href, pool, bots: writerOf(pool), cutListeners: () => pool.query(CUT_LISTENERS) };
}

/** Writes as another part of the application would: every write gives `rev` a new value, as an ORM does. */
export function writerOf(pool: { query(text: string, values?: unknown[]): Promise<unknown> }): Writer {
  return {
    write: (id, { status, config }) => pool.query(
      `insert into bots (id, token, paused_at, rev) values ($1, $2, $3, gen_random_uuid())
       on conflict (id) do update set token = excluded.token, paused_at = excluded.paused_at, rev = excluded.rev`,
      [id, config, status === 'active' ? null : new Date(0)]),
    remove: (id) => pool.query('delete from bots where id = $1', [id]),
    bookkeep: (id) => pool.query(`update bots set last_error = 'timed out' where id = $1`, [id]),
    clear: () => pool.query('delete from bots'),
  };
}

async function asAdministrator(statement: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
