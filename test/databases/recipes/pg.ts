import pg from 'pg';
import { tableStore } from 'hydrant';

interface Bot { id: string; token: string; paused_at: Date | null; last_error: string | null; rev: string }

export const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] });
pool.on('error', (error) => console.error('an idle connection was lost', error));

export const read = async (ids: readonly string[]) =>
  (await pool.query<Bot>('select * from bots where id = any($1)', [ids])).rows;

export const store = tableStore({
  read,
  status: (row) => (row.paused_at === null ? 'active' : 'stopped'),
  ignore: ['last_error', 'rev'],
});
