import pg from 'pg';
import { PostgresStore } from 'hydrant/postgres';
import { client } from './kysely.js'; // or any client of this page

export const store = new PostgresStore({
  client,
  listenClient: () => new pg.Client({ connectionString: process.env['DATABASE_URL'] }), // optional: hints
  table: 'bots',
  columns: { config: ['token'] },
  stopped: 'paused_at is not null',
  mapRow: (row) => ({ token: String(row['token']) }),
});
