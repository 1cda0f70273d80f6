import { PostgresStore } from 'hydrant/postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import { databaseForTests } from '../support/databases.js';

const database = databaseForTests();
beforeEach(() => database.pool.query('drop schema if exists hydrant cascade; drop schema public cascade; create schema public'));

/** A store on the table `t` that the test has made. */
async function storeOfT(): Promise<PostgresStore<{ config: unknown }>> {
  const store = new PostgresStore<{ config: unknown }>({
    client: database.pool, table: 't', columns: { config: ['config'] }, stopped: 'false', mapRow: ({ config }) => ({ config }),
  });
  await store.migrate();
  return store;
}

describe('the type of an id is looked up', () => {
  const uuid = 'aaaaaaaa-0000-4000-8000-000000000001';
  const junk = ['', 'x', "'; drop table t; --", '1e3', '99999999999999999999', '\ud800', 'nul\0', uuid.toUpperCase(), '..', '1 '];

  test.each([
    { type: 'uuid', id: uuid },
    { type: 'int', id: '7' },
    { type: 'smallint', id: '7' },
    { type: 'bigint', id: '9223372036854775807' },
    { type: 'varchar(40)', id: 'acme' },
    { type: 'text', id: 'acme' },
    { type: 'char(6)', id: 'acme' },
    { type: 'numeric', id: '7' },
    { type: 'mood', id: 'happy' },
    { type: 'label', id: 'acme' },
    { type: 'key', id: uuid },
    { type: 'name', id: 'acme' },
  ])('$type: its rows are found, and an invalid id is unknown instead of an error', async ({ type, id }) => {
    await database.pool.query(`create type mood as enum ('happy', 'sad'); create domain label as text check (value <> '');
    create domain key as uuid;
      create table t (id ${type} primary key, config int)`);
    await database.pool.query('insert into t values ($1, 1)', [id]);
    const store = await storeOfT();
    expect([...(await store.getMany([...junk, id])).keys()]).toEqual([id]);
    for (let n = 0; n < 2; n += 1) expect([...(await store.getVersions([...junk, id])).keys()]).toEqual([id]);
    expect(await store.touch(id)).toBe(true);
    expect(await store.touch('junk')).toBe(false);
  });

  test.each(['citext', 'text collate caseless'])('%s: an id in other letters is unknown to delete and touch', async (type) => {
    await database.pool.query(`create extension citext; create collation caseless (provider = icu, locale = 'und-u-ks-level2',
      deterministic = false); create table t (id ${type} primary key, config int); insert into t values ('Acme', 1)`);
    const store = await storeOfT();
    const before = await store.get('Acme');
    expect(await store.get('acme')).toBeUndefined();
    expect(await store.touch('acme')).toBe(false);
    await store.delete('acme');
    expect(await store.get('Acme')).toEqual(before);
    expect(await store.touch('Acme')).toBe(true);
    await store.delete('Acme');
    expect(await store.get('Acme')).toBeUndefined();
  });

  test('again when the type changes', async () => {
    await database.pool.query(`create table t (id text primary key, config int); insert into t values ('7', 1)`);
    const store = await storeOfT();
    for (const type of ['int', 'bigint', 'text', 'varchar(9)']) {
      await database.pool.query(`alter table t alter column id type ${type} using id::${type}`);
      expect(await store.get('7')).toMatchObject({ config: 1 });
      expect((await store.getVersions(['7', 'x'])).size).toBe(1);
    }
  });
});
