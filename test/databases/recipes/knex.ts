import knex from 'knex';
import { tableStore } from 'hydrant';
import { knexClient } from 'hydrant/postgres';

interface Bot { id: string; token: string; paused_at: Date | null; last_error: string | null; rev: string }

export const db = knex({ client: 'pg', connection: process.env['DATABASE_URL']! });

export const read = async (ids: readonly string[]): Promise<Bot[]> => await db<Bot>('bots').whereIn('id', ids);

export const store = tableStore({
  read,
  status: (row) => (row.paused_at === null ? 'active' : 'stopped'),
  ignore: ['last_error', 'rev'],
});

// For PostgresStore and PostgresClaims:
export const client = knexClient(db);
