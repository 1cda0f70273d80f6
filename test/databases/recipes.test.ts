import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { PostgresStore } from 'hydrant/postgres';
import { expect, onTestFinished, test } from 'vitest';
import { postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const { pool, bots } = database;
const OPTIONS = { table: 'bots', columns: { config: ['token'] }, stopped: 'paused_at is not null', mapRow: (row: object) => row };
const recipe = (name: string): string => readFileSync(new URL(`recipes/${name}`, import.meta.url), 'utf8');

test('PostgresStore over an ORM serves the table, with hints', async () => {
  const { store } = await import('./recipes/postgres-store.js');
  await store.migrate();
  const heard: string[] = [];
  let subscribed = (): void => {};
  const gap = new Promise<void>((resolve) => { subscribed = resolve; });
  await using _subscription = await store.watch!({ changed: (ids) => { heard.push(...ids); }, gap: subscribed });
  await gap;
  await bots.write('acme', { status: 'active', config: 'a' });
  expect(await store.get('acme')).toMatchObject({ id: 'acme', token: 'a', status: 'active' });
  await bots.write('acme', { status: 'stopped', config: 'a' });
  expect(await store.get('acme')).toMatchObject({ status: 'stopped' });
  await expect.poll(() => heard).toEqual(['acme', 'acme']);
  await (await import('./recipes/kysely.js')).db.destroy();
});

test('a migration by file is the migration, and down leaves nothing behind', async () => {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'hydrant-migration-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const store = new PostgresStore({ client: pool, ...OPTIONS });
  process.chdir(folder);
  try {
    await import('./recipes/migration.js');
  } finally {
    process.chdir(before);
  }
  const run = (file: string) => pool.query(`begin; ${readFileSync(join(folder, file), 'utf8')}; commit`);
  await run('hydrant.up.sql');
  expect(await store.check()).toEqual([]);
  await run('hydrant.down.sql');
  expect((await store.check()).length).toBeGreaterThan(0);
  const { rows } = await pool.query(
    `select nspname from pg_namespace where nspname = 'hydrant' union all select tgname from pg_trigger
      where tgname like 'hydrant%'`,
  );
  expect(rows).toEqual([]);
  expect(existsSync(join(folder, 'hydrant.up.sql'))).toBe(true);
});

test('the rights are enough, and no more than are needed', async () => {
  await pool.query(recipe('rights.sql').replaceAll('gateway', new URL(database.url).pathname.slice(1)));
  await bots.write('acme', { status: 'active', config: 'a' });
  const as = (role: string): pg.Pool =>
    new pg.Pool({ connectionString: database.url.replace('postgres@', `${role}@`), max: 2 }).on('error', () => {});
  const [reader, migrator] = [as('bots_reader'), as('bots_migrator')];
  const hashed = new PostgresStore({ client: reader, versions: 'hash', ...OPTIONS });
  await new PostgresStore({ client: migrator, ...OPTIONS }).migrate();
  const counted = new PostgresStore({ client: reader, ...OPTIONS });
  const first = await counted.getVersions(['acme']);
  await bots.write('acme', { status: 'active', config: 'b' });
  expect(await hashed.get('acme')).toMatchObject({ token: 'b' });
  expect((await counted.getVersions(['acme'])).get('acme')).not.toBe(first.get('acme'));
  await expect(reader.query(`update bots set token = ''`)).rejects.toThrow('permission denied');
  await Promise.all([reader.end(), migrator.end()]);
});

test('with uuids for ids, junk ids are unknown and cost no query', async () => {
  await pool.query(`create table workspaces (id uuid primary key default gen_random_uuid(), token text not null)`);
  const { rows: [workspace] } = await pool.query<{ id: string }>(`insert into workspaces (token) values ('a') returning id`);
  const recipeOfUuids = await import('./recipes/uuid.js');
  const { store } = recipeOfUuids;
  const { id } = workspace!;
  expect([...(await store.getMany([id, 'wp-login.php', id.toUpperCase()])).keys()]).toEqual([id]);
  expect(await store.get('wp-login.php')).toBeUndefined();
  recipeOfUuids.pool.removeAllListeners('error').on('error', () => {});
  await recipeOfUuids.pool.end();
});

test('a revision that Drizzle maintains changes with every update through Drizzle', async () => {
  const { store } = await import('./recipes/revision.js');
  const { db, bots: table } = await import('./recipes/drizzle.js');
  const { eq } = await import('drizzle-orm');
  await db.insert(table).values({ id: 'tenant', token: 'a' } as never);
  const versions = new Set([String((await store.get('tenant'))?.version)]);
  for (const set of [{ token: 'b' }, { pausedAt: new Date() }, { pausedAt: null }, { token: 'a' }]) {
    await db.update(table).set(set).where(eq(table.id, 'tenant'));
    versions.add(String((await store.get('tenant'))?.version));
  }
  expect(versions.size).toBe(5);
  await db.$client.end();
});
