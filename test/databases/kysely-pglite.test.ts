import { sql } from 'kysely';
import { ConnectionRegistry, tableStore } from 'hydrant';
import { kyselyClient, PostgresStore } from 'hydrant/postgres';
import { afterAll, expect, test } from 'vitest';
import { createTestDatabase } from './recipes/kysely-pglite.js';
import { BOTS } from './support/postgres.js';

interface Tables {
  bots: { id: string; token: string; paused_at: Date | null; last_error: string | null; rev: string };
}

const db = createTestDatabase<Tables>();
await sql.raw(BOTS).execute(db);
afterAll(() => db.destroy());

const read = (ids: readonly string[]) => db.selectFrom('bots').selectAll().where('id', 'in', ids).execute();
const row = { id: 'acme', token: 'a', paused_at: null, last_error: null, rev: '1' };

test('an application on Kysely tests over PGlite, with the store of production', async () => {
  await db.insertInto('bots').values(row).execute();
  const registry = new ConnectionRegistry({ store: tableStore({ read }), factory: { create: ({ token }) => token } });
  expect(await registry.use('acme', (token) => token)).toBe('a');
  const updated = await db.updateTable('bots').set({ token: 'b' }).where('id', '=', 'acme').executeTakeFirst();
  expect(updated.numUpdatedRows).toBe(1n);
  expect(await registry.use('acme', (token) => token)).toBe('b');
  await registry.close();

  const store = new PostgresStore({
    client: kyselyClient(db), table: 'bots', versions: 'hash', columns: { config: ['token'] },
    stopped: 'paused_at is not null', mapRow: ({ token }) => ({ token }),
  });
  expect(await store.get('acme')).toMatchObject({ id: 'acme', token: 'b' });
});

test('a transaction has the connection to itself, and rolls back', async () => {
  let outside: Promise<string[]> | undefined;
  const transaction = db.transaction().execute(async (trx) => {
    await trx.updateTable('bots').set({ token: 'uncommitted' }).execute();
    outside = read(['acme']).then((rows) => rows.map(({ token }) => token));
    for (let query = 0; query < 10; query += 1) await trx.selectFrom('bots').selectAll().execute();
    throw new Error('rolled back');
  });
  await expect(transaction).rejects.toThrow('rolled back');
  expect(await outside).toEqual(['b']);
});
