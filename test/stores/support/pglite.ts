import { PGlite } from '@electric-sql/pglite';
import type { PostgresListenClient } from 'hydrant/postgres';

/*
 * PostgreSQL in this process. Starting it takes a second or more, emptying it milliseconds: so there is one, which
 * also outlives the modules of one run of the tests where these are evaluated many times.
 */
const KEY = Symbol.for('hydrant.test.pglite');
const READY = Symbol.for('hydrant.test.ready');
const everywhere = globalThis as {
  [KEY]?: { readonly db: Promise<PGlite>; readonly listening: Set<() => void> };
  [READY]?: Promise<unknown>;
};
const shared = everywhere[KEY] ??= { db: PGlite.create(), listening: new Set() };
everywhere[READY] = shared.db;

export const startPglite = (): Promise<PGlite> => shared.db;

/** The database, empty, without listeners, and with the right time. */
export async function emptyPglite(): Promise<PGlite> {
  const db = await startPglite();
  for (const stop of shared.listening) stop();
  shared.listening.clear();
  await db.exec('rollback');
  // Another function of that name comes first in the path, so that a test can let time pass for the database.
  await db.exec(`
    unlisten *; set search_path = public, pg_catalog; set test.ahead_ms = '0';
    drop schema if exists elsewhere cascade; drop schema if exists public cascade; create schema public;
    create function public.clock_timestamp() returns timestamptz language sql volatile
      as $$ select pg_catalog.clock_timestamp() + current_setting('test.ahead_ms')::float8 * interval '1 millisecond' $$`);
  return db;
}

/** Lets time pass for the database. */
export async function passInPglite(db: PGlite, ms: number): Promise<void> {
  await db.query(`select set_config('test.ahead_ms', (current_setting('test.ahead_ms')::float8 + $1)::text, false)`, [ms]);
}

type Heard = (message: { channel: string; payload: string }) => void;

/** Listens as a connection of its own would: PGlite has one session, which all of them share. */
export class PgliteListener implements PostgresListenClient {
  readonly #db: PGlite;
  #heard: Heard = () => {};
  #stop: (() => void) | undefined;

  constructor(db: PGlite) {
    this.#db = db;
  }

  async connect(): Promise<void> {
    this.#stop = this.#db.onNotification((channel, payload) => this.#heard({ channel, payload }));
    shared.listening.add(this.#stop);
  }

  query(text: string): Promise<unknown> {
    return this.#db.exec(text);
  }

  async end(): Promise<void> {
    this.#stop?.();
  }

  on(event: string, listener: (message: never) => void): void {
    if (event === 'notification') this.#heard = listener as Heard;
  }
}
