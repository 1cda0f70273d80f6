import pg from 'pg';
import { tableStore } from 'hydrant';

interface Workspace { id: string; token: string }

export const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] });
pool.on('error', (error) => console.error('an idle connection was lost', error));

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const store = tableStore({
  read: async (ids) => (await pool.query<Workspace>('select * from workspaces where id = any($1::uuid[])', [ids])).rows,
  validId: (id) => UUID.test(id),
});
