import Database from 'better-sqlite3';
import { tableStore } from 'hydrant';

interface Bot { id: string; token: string; paused_at: number | null; last_error: string | null; rev: string }

export const db = new Database(process.env['SQLITE_FILE'] ?? 'bots.db');
const select = db.prepare<[string], Bot>('select * from bots where id in (select value from json_each(?))');

export const read = (ids: readonly string[]) => select.all(JSON.stringify(ids));

export const store = tableStore({
  read,
  status: (row) => (row.paused_at === null ? 'active' : 'stopped'),
  ignore: ['last_error', 'rev'],
});
