import type { PGlite } from '@electric-sql/pglite';
import { PostgresStore, type PostgresStoreOptions } from 'hydrant/postgres';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { emptyPglite, startPglite } from '../stores/support/pglite.js';

let db: PGlite;
beforeAll(async () => { await startPglite(); }, 60_000);
beforeEach(async () => { db = await emptyPglite(); });

interface Bot { readonly token: string }

/** The version by `getVersions`, which must be the version of the row itself. */
async function reader(options: Partial<PostgresStoreOptions<Bot>>): Promise<() => Promise<unknown>> {
  const store = new PostgresStore<Bot>({
    client: db,
    table: 'bots',
    columns: { config: ['token'] },
    stopped: 'false',
    mapRow: ({ token }) => ({ token: String(token) }),
    ...options,
  });
  await store.migrate();
  return async () => {
    const version = (await store.getVersions(['acme'])).get('acme');
    expect(version).toBe((await store.get('acme'))?.version);
    return version;
  };
}

test.each(['table', 'hash'] as const)('within one transaction, every edit is seen (versions: %s)', async (versions) => {
  await db.exec('create table bots (id text primary key, token text)');
  const version = await reader({ versions });
  await db.exec(`begin; insert into bots values ('acme', '0')`);
  const seen = new Set([await version()]);
  for (const token of ['1', '2']) {
    await db.query('update bots set token = $1', [token]);
    seen.add(await version());
  }
  await db.exec('rollback');
  expect(seen.size).toBe(3);
  expect(await version()).toBeUndefined();
});

test.each([
  { where: 'in one table', tables: 'create table bots (id text, token text, valid int4range)', written: 'bots' },
  {
    where: 'in a table that inherits',
    tables: `create table bots (id text primary key, token text, valid int4range); create table newer () inherits (bots)`,
    written: 'newer',
  },
])('$where, a row takes the place of another one that the same statement wrote', async ({ tables, written }) => {
  await db.exec(`create table now_is (at int); insert into now_is values (1); ${tables};
    insert into ${written} values ('acme', 'old', '[1,2)'), ('acme', 'new', '[2,3)')`);
  const version = await reader({ versions: 'hash', where: 'valid @> (select at from now_is)' });
  const before = await version();
  await db.exec('update now_is set at = 2');
  expect(await version()).not.toBe(before);
});

test.each([
  { where: 'a table', tables: 'create table bots (id text, token text, valid int4range)' },
  {
    where: 'a partition',
    tables: `create table bots (id text, token text, valid int4range) partition by list (id);
      create table bots_a partition of bots for values in ('acme')`,
  },
])('VACUUM FULL of $where moves a row to the place of another one that the same statement wrote', async ({ tables }) => {
  await db.exec(`create table now_is (at int); insert into now_is values (1); ${tables};
    insert into bots values ('acme', 'old', '[1,2)'), ('acme', 'new', '[2,3)')`);
  const version = await reader({ versions: 'hash', where: 'valid @> (select at from now_is)' });
  const before = await version();
  await db.exec(`update now_is set at = 2; delete from bots where token = 'old'`);
  await db.exec('vacuum full bots');
  expect(await version()).not.toBe(before);
});
