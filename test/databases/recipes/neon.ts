import { neon } from '@neondatabase/serverless';
import { tableStore } from 'hydrant';

interface Bot { id: string; token: string; paused_at: Date | null; last_error: string | null; rev: string }

export const sql = neon(process.env['DATABASE_URL']!);

export const read = async (ids: readonly string[]) => await sql`select * from bots where id = any(${ids})` as Bot[];

export const store = tableStore({
  read,
  status: (row) => (row.paused_at === null ? 'active' : 'stopped'),
  ignore: ['last_error', 'rev'],
});

// PostgresStore and PostgresClaims take `sql` itself, and a Pool of this package.
export const client = sql;
