import { PostgresStore } from 'hydrant/postgres';
import { beforeAll, expect, test } from 'vitest';
import { emptyPglite, startPglite } from '../stores/support/pglite.js';

beforeAll(async () => { await startPglite(); }, 60_000);

test('a table that the search path finds may have its partitions in another schema', async () => {
  const db = await emptyPglite();
  await db.exec(`
    create schema elsewhere; create table bots (id text primary key, token text) partition by hash (id);
    create table elsewhere.part partition of bots for values with (modulus 1, remainder 0)`);
  const store = new PostgresStore<{ token: string }>({
    client: db,
    table: 'bots',
    columns: { config: ['token'] },
    stopped: 'false',
    mapRow: ({ token }) => ({ token: token as string }),
    toRow: ({ token }) => ({ token }),
  });
  await store.migrate();
  const versions = new Set<string>();
  for (const token of ['1', '2']) for (const id of ['a', 'b']) versions.add((await store.put({ id, token })).version);
  expect(versions.size).toBe(4);
});
