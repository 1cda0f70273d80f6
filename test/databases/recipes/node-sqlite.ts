import { DatabaseSync } from 'node:sqlite';
import { tableStore } from 'hydrant';

interface Bot { id: string; token: string; paused_at: number | null; last_error: string | null; rev: string }

export const db = new DatabaseSync(process.env['SQLITE_FILE'] ?? 'bots.db');

export const read = (ids: readonly string[]) =>
  db.prepare('select * from bots where id in (select value from json_each(?))').all(JSON.stringify(ids)) as unknown as Bot[];

export const store = tableStore({
  read,
  status: (row) => (row.paused_at === null ? 'active' : 'stopped'),
  ignore: ['last_error', 'rev'],
});
