import type { PGlite } from '@electric-sql/pglite';
import { PostgresStore } from 'hydrant/postgres';
import { storeConformance, type StoreUnderTest } from 'hydrant/testing';
import { beforeAll, beforeEach, describe, test } from 'vitest';
import { ownTableUnderTest } from './support/own-table.js';
import { emptyPglite, startPglite } from './support/pglite.js';

let db: PGlite;
beforeAll(async () => { await startPglite(); }, 60_000);
beforeEach(async () => { db = await emptyPglite(); });

const CAPABILITIES = { getMany: true, getVersions: true, invalidRows: true, bookkeeping: true, touch: true };

describe('PostgresStore on PGlite, with its own table', () => {
  storeConformance({ describe, it: test }, async (): Promise<StoreUnderTest> => {
    const store = new PostgresStore<{ readonly config: { readonly value: string } }>({ client: db });
    await store.migrate();
    await db.exec('alter table hydrant_connections add column noted timestamptz');
    return ownTableUnderTest(store, (text, values) => db.query(text, values));
  }, CAPABILITIES);
});

describe('PostgresStore on PGlite, mapped onto a table that exists', () => {
  beforeEach(async () => {
    await db.exec(
      'create table connections (id text primary key, config jsonb, state text, note text, deleted boolean not null '
        + 'default false)',
    );
  });

  storeConformance({ describe, it: test }, async (): Promise<StoreUnderTest> => {
    const store = new PostgresStore({
      client: db,
      table: 'connections',
      columns: { status: 'state', config: ['config'] },
      where: 'not deleted',
      softDelete: 'deleted = true',
      mapRow({ config }) {
        if (!Array.isArray(config)) throw new TypeError('expected a list');
        return { list: config as string[] };
      },
      toRow: ({ list }) => ({ config: JSON.stringify(list), deleted: false }),
    });
    await store.migrate();
    return {
      store,
      write: (id, { status, config }) => store.put({ id, status, list: [config] }),
      remove: (id) => store.delete(id),
      configOf: (record) => (record as unknown as { list: string[] }).list[0] ?? '',
      writeInvalid: (id) =>
        db.query(
          `insert into connections (id, config) values ($1, '{}') on conflict (id) do update set config = excluded.config`,
          [id],
        ),
      bookkeep: (id) => db.query(`update connections set note = 'seen', state = 'error' where id = $1`, [id]),
      touch: (id) => store.touch(id),
    };
  }, CAPABILITIES);
});
