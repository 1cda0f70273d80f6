import { PGlite } from '@electric-sql/pglite';
import { tableStore } from 'hydrant';

interface Bot { id: string; token: string; paused_at: Date | null; last_error: string | null; rev: string }

export const client = new PGlite(process.env['PGLITE_FOLDER']);

export const read = async (ids: readonly string[]) =>
  (await client.query<Bot>('select * from bots where id = any($1)', [ids])).rows;

export const store = tableStore({
  read,
  status: (row) => (row.paused_at === null ? 'active' : 'stopped'),
  ignore: ['last_error', 'rev'],
});
