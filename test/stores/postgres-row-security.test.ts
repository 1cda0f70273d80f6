import type { PGlite } from '@electric-sql/pglite';
import { PostgresStore, type PostgresStoreOptions } from 'hydrant/postgres';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emptyPglite, startPglite } from './support/pglite.js';

let db: PGlite;
beforeAll(async () => { await startPglite(); }, 60_000);
beforeEach(async () => {
  db = await emptyPglite();
  await db.exec('drop schema if exists hydrant cascade');
});

interface Bot { readonly token: string }

const bots = (options: Partial<PostgresStoreOptions<Bot>> = {}): PostgresStore<Bot> => new PostgresStore<Bot>({
  client: db,
  table: 'bots',
  columns: { config: ['token'] },
  stopped: 'false',
  mapRow: ({ token }) => ({ token: String(token) }),
  ...options,
});

describe('a table with row-level security', () => {
  beforeEach(async () => {
    await db.exec(`do $$ begin create role tenant; exception when duplicate_object then null; end $$;
      grant usage on schema public to tenant;
      create table bots (id text primary key, token text, org text default current_setting('app.org'));
      alter table bots enable row level security, force row level security;
      create policy own on bots using (org = current_setting('app.org'));
      grant select, insert, update, delete on bots to tenant;
      set app.org = 'A'`);
    await bots().migrate();
    return async () => { await db.exec('reset role; drop owned by tenant; drop role tenant'); };
  });

  /** Runs `work` as a role of this organization. */
  const as = async <T>(org: string, work: () => Promise<T>): Promise<T> => {
    await db.exec(`set role tenant; set app.org = '${org}'`);
    try {
      return await work();
    } finally {
      await db.exec('reset role');
    }
  };

  test.each(['table', 'hash'] as const)('each role writes and reads its own rows (versions: %s)', async (versions) => {
    const store = bots({ versions, toRow: ({ token }) => ({ token }) });
    for (const id of ['a', 'b']) await as(id.toUpperCase(), () => store.put({ id, token: '1' }));
    const seen = (): Promise<unknown> => store.getVersions(['a', 'b']).then((found) => [...found.keys()]);
    expect({ A: await as('A', seen), B: await as('B', seen) }).toEqual({ A: ['a'], B: ['b'] });
    expect(await as('A', () => store.get('b'))).toBeUndefined();
    const version = (): Promise<unknown> => as('B', async () => (await store.getVersions(['b'])).get('b'));
    const before = await version();
    await as('A', () => db.query(`update bots set token = '2'`));
    expect(await version()).toBe(before);
    await as('B', () => db.query(`update bots set token = '2'`));
    expect(await version()).not.toBe(before);
  });
});

describe('a view', () => {
  test.each([
    { versions: 'table', options: { notify: false } },
    { versions: 'hash', options: { versions: 'hash' } },
  ] as const)('is served with versions $versions', async ({ versions, options }) => {
    await db.exec(`create table raw (id text primary key, token text, gone boolean default false);
      insert into raw values ('acme', '1'); create view bots as select id, token from raw where not gone`);
    const store = bots(options);
    await store.migrate();
    expect(await store.check()).toEqual([]);
    const seen = new Set<unknown>();
    for (const token of ['1', '2']) {
      await db.query('update raw set token = $1', [token]);
      const version = (await store.getVersions(['acme'])).get('acme');
      expect(version).toBe((await store.get('acme'))?.version);
      seen.add(version);
    }
    if (versions === 'table') {
      expect(await store.touch('acme')).toBe(true);
      seen.add((await store.getVersions(['acme'])).get('acme'));
    }
    expect(seen.size).toBe(versions === 'table' ? 3 : 2);
    await db.exec('update raw set gone = true');
    expect((await store.getVersions(['acme'])).size).toBe(0);
  });
});
