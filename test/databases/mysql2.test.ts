import { readFileSync } from 'node:fs';
import mysql from 'mysql2/promise';
import { tableStore } from 'hydrant';
import { afterAll, expect, inject, test } from 'vitest';
import { tableStoreCases, type Writer } from './support/cases.js';

const administrator = await mysql.createConnection(inject('mariadbUrl'));
await administrator.query('create database hydrant character set utf8mb4');
await administrator.query('use hydrant');
await administrator.query(readFileSync(new URL('recipes/mariadb.sql', import.meta.url), 'utf8'));
process.env['DATABASE_URL'] = `${inject('mariadbUrl')}hydrant`;
const recipe = await import('./recipes/mysql2.js');
afterAll(async () => {
  await recipe.pool.end();
  await administrator.query('drop database hydrant');
  await administrator.end();
});

const bots: Writer = {
  write: (id, { status, config }) => recipe.pool.query(
    `insert into bots (id, token, paused_at, rev) values (?, ?, ?, uuid())
     on duplicate key update token = values(token), paused_at = values(paused_at), rev = values(rev)`,
    [id, config, status === 'active' ? null : new Date(0)]),
  remove: (id) => recipe.pool.query('delete from bots where id = ?', [id]),
  bookkeep: (id) => recipe.pool.query(`update bots set last_error = 'timed out' where id = ?`, [id]),
  clear: () => recipe.pool.query('delete from bots'),
};

tableStoreCases({ client: 'mysql2', engine: 'MariaDB' }, bots, recipe);

test('with a case-insensitive collation, an id is found only as stored, and ids that differ by case share a row', async () => {
  await administrator.query(
    'create table hydrant.loose (id varchar(100) collate utf8mb4_general_ci primary key, token varchar(100))',
  );
  await administrator.query(`insert into hydrant.loose values ('Acme', 'a')`);
  await expect(administrator.query(`insert into hydrant.loose values ('acme', 'b')`)).rejects.toThrow('Duplicate entry');
  const loose = tableStore({
    read: async (ids) => (await recipe.pool.query<mysql.RowDataPacket[]>('select * from loose where id in (?)', [ids]))[0],
    id: (row) => row['id'],
  });
  expect([...(await loose.getMany(['acme', 'ACME', 'Acme '])).keys()]).toEqual([]);
  expect(await loose.get('Acme')).toMatchObject({ id: 'Acme', token: 'a' });
});
