import pgPromise from 'pg-promise';
import { tableStore } from 'hydrant';
import { pgPromiseClient } from 'hydrant/postgres';

interface Bot { id: string; token: string; paused_at: Date | null; last_error: string | null; rev: string }

export const db = pgPromise()(process.env['DATABASE_URL']!);

export const read = (ids: readonly string[]) => db.any<Bot>('select * from bots where id in ($1:csv)', [ids]);

export const store = tableStore({
  read,
  status: (row) => (row.paused_at === null ? 'active' : 'stopped'),
  ignore: ['last_error', 'rev'],
});

// For PostgresStore and PostgresClaims:
export const client = pgPromiseClient(db);
