import { PostgresStore } from 'hydrant/postgres';
import { beforeAll, expect, test } from 'vitest';
import { emptyPglite, startPglite } from '../stores/support/pglite.js';

beforeAll(async () => { await startPglite(); }, 60_000);

test('put and delete work with a where that reads another table', async () => {
  const db = await emptyPglite();
  await db.exec(`
    create table organizations (id text primary key, suspended boolean not null default false);
    create table bots (id text primary key, token text, organization text, gone boolean not null default false);
    insert into organizations values ('o1')`);
  const store = new PostgresStore<{ token: string }>({
    client: db,
    table: 'bots',
    columns: { config: ['token'] },
    where: 'not gone and not exists (SELECT from organizations o where o.id = organization and o.suspended)',
    stopped: 'false',
    softDelete: 'gone = true',
    mapRow: ({ token }) => ({ token: String(token) }),
    toRow: ({ token }) => ({ token, organization: 'o1', gone: false }),
  });
  await store.migrate();
  for (const token of ['1', '2']) expect(await store.put({ id: 'acme', token })).toMatchObject({ token });
  await store.delete('acme');
  expect(await store.get('acme')).toBeUndefined();
  expect(await store.put({ id: 'acme', token: '3' })).toMatchObject({ token: '3' });
});
