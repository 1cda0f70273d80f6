import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { tableStore } from 'hydrant';
import { kyselyClient } from 'hydrant/postgres';

interface Database {
  bots: { id: string; token: string; paused_at: Date | null; last_error: string | null; rev: string };
}

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] });
pool.on('error', (error) => console.error('an idle connection was lost', error));

export const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });

export const read = (ids: readonly string[]) => db.selectFrom('bots').selectAll().where('id', 'in', ids).execute();

export const store = tableStore({
  read,
  status: (row) => (row.paused_at === null ? 'active' : 'stopped'),
  ignore: ['last_error', 'rev'],
});

// For PostgresStore and PostgresClaims:
export const client = kyselyClient(db);
