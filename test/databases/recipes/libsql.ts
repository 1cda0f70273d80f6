import { createClient } from '@libsql/client';
import { tableStore } from 'hydrant';

interface Bot { id: string; token: string; paused_at: number | null; last_error: string | null; rev: string }

export const client = createClient({ url: process.env['LIBSQL_URL'] ?? 'file:bots.db' });

export const read = async (ids: readonly string[]) => {
  const sql = 'select * from bots where id in (select value from json_each(?))';
  const { rows } = await client.execute({ sql, args: [JSON.stringify(ids)] });
  return rows as unknown as Bot[];
};

export const store = tableStore({
  read,
  status: (row) => (row.paused_at === null ? 'active' : 'stopped'),
  ignore: ['last_error', 'rev'],
});
