import type { PGlite } from '@electric-sql/pglite';
import { PostgresStore, type PostgresStoreOptions } from 'hydrant/postgres';
import { beforeAll, beforeEach } from 'vitest';
import { emptyPglite, startPglite } from './pglite.js';

/** The events of the triggers for hints. */
export const EVENTS = ['delete', 'insert', 'truncate', 'update'];

export const mapping = {
  table: 'bots', columns: { config: ['platform'] }, where: 'not gone', stopped: 'halted', softDelete: 'gone = true',
  mapRow: ({ platform }) => ({ platform: platform as string }), toRow: ({ platform }) => ({ platform }),
} satisfies Omit<PostgresStoreOptions<{ platform: string }>, 'client'>;
export const BOTS = `create table bots (id text primary key, platform text, note text, gone bool not null default false,
  halted bool not null default false)`;

/** Makes an empty database with the table `bots` and the row `acme` before each test. */
export function useBotsTable(use: (db: PGlite) => void): void {
  beforeAll(async () => { await startPglite(); }, 60_000);
  beforeEach(async () => {
    const db = await emptyPglite();
    use(db);
    await db.exec(`drop schema if exists hydrant cascade; ${BOTS}; insert into bots (id, platform) values ('acme', 'slack')`);
  });
}

/** A store on the table `bots`, which was there before it. */
export const botsStore = (db: PGlite, options: Partial<PostgresStoreOptions<{ platform: string }>> = {}) =>
  new PostgresStore({ client: db, ...mapping, ...options });
