import postgres from 'postgres';
import { tableStore } from 'hydrant';
import { postgresJsClient, postgresJsListenClient } from 'hydrant/postgres';

interface Bot { id: string; token: string; paused_at: Date | null; last_error: string | null; rev: string }

export const sql = postgres(process.env['DATABASE_URL']!);

export const read = async (ids: readonly string[]) => await sql<Bot[]>`select * from bots where id in ${sql(ids)}`;

export const store = tableStore({
  read,
  status: (row) => (row.paused_at === null ? 'active' : 'stopped'),
  ignore: ['last_error', 'rev'],
});

// For PostgresStore and PostgresClaims:
export const client = postgresJsClient(sql);
export const listenClient = () => postgresJsListenClient(postgres(process.env['DATABASE_URL']!));
