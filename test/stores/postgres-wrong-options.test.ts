import type { PGlite } from '@electric-sql/pglite';
import { PostgresStore, type PostgresStoreOptions } from 'hydrant/postgres';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { catalogueOf } from './support/catalogue.js';
import { emptyPglite, startPglite } from './support/pglite.js';

let db: PGlite;
beforeAll(async () => { await startPglite(); }, 60_000);
beforeEach(async () => {
  db = await emptyPglite();
  await db.exec(`drop schema if exists hydrant cascade;
    create table bots (id text primary key, platform text, halted bool not null default false,
      gone bool not null default false)`);
});

const { values, everything } = catalogueOf(() => db);
type Options = Partial<PostgresStoreOptions<{ platform: string }>>;
const mapRow = ({ platform }: Readonly<Record<string, unknown>>): { platform: string } => ({ platform: platform as string });
const store = (options: Options = {}) =>
  new PostgresStore({
    client: db, table: 'bots', columns: { config: ['platform'] }, where: 'not gone', stopped: 'halted', mapRow, ...options,
  });

const NOTHING_WRONG = { found: [], repaired: [] };
const config = (...parts: string[]): Options => ({ columns: { config: parts } });
const WRONG: { option: string; options: Options; says: string }[] = [
  { option: 'columns.config', options: config('platform', 'platfrom'), says: 'column "platfrom" does not exist' },
  { option: 'columns.config', options: config('platform', 'halted::uuid'), says: 'cannot cast type boolean to uuid' },
  { option: 'columns.config', options: config(`'x'::int`), says: 'invalid input syntax for type integer: "x"' },
  { option: 'stopped', options: { stopped: 'halted or haltde' }, says: 'column "haltde" does not exist' },
  { option: 'stopped', options: { stopped: 'platform' }, says: 'argument of IS TRUE must be type boolean, not type text' },
  {
    option: `columns.status (or stopped, such as 'false')`, options: { stopped: undefined as never },
    says: 'column "status" does not exist',
  },
  { option: 'where', options: { where: 'deleted_at is null' }, says: 'column "deleted_at" does not exist' },
  { option: 'versions.column or idType', options: { versions: { column: 'rev' } }, says: 'column "rev" does not exist' },
  { option: 'versions.column or idType', options: { idType: 'uuid' }, says: 'operator does not exist: text = uuid' },
];

describe('options that a table cannot serve', () => {
  test.each(WRONG)('are reported by check and refused by migrate: $option, $says', async ({ option, options, says }) => {
    const message = `PostgresStore: ${option} does not fit the table: ${says}`;
    const before = await everything();
    expect((await store(options).check())[0]).toEqual({ object: 'options', problem: message });
    await expect(store(options).migrate()).rejects.toMatchObject({
      code: 'INVALID_OPTIONS', message, cause: { message: expect.stringContaining(says) as string },
    });
    expect(await everything()).toEqual(before);
  });

  test('are a wrong columns.id too', async () => {
    const wrong = store({ columns: { id: 'uid', config: ['platform'] } });
    const message = `PostgresStore: public.bots has no column 'uid' (columns.id)`;
    expect(await wrong.check()).toContainEqual({ object: 'options', problem: message });
    await expect(wrong.migrate()).rejects.toMatchObject({ code: 'INVALID_OPTIONS', message });
  });

  test('are found after a column was renamed, by a store that has read', async () => {
    const [used, every] = [store({ versions: 'hash' }), store({ versions: 'hash', columns: {} })];
    for (const one of [used, every])
      expect({ row: await one.get('acme'), found: await one.check() }).toEqual({ row: undefined, found: [] });
    await db.exec('alter table bots rename column platform to kind');
    expect(await used.check()).toEqual([
      { object: 'options', problem: 'PostgresStore: columns.config does not fit the table: column "platform" does not exist' },
    ]);
    expect(await every.check()).toEqual([]);
  });

  test('are found through the errors of an ORM, which may quote the whole statement', async () => {
    const client = {
      query: async (text: string, given: unknown[]) => {
        try {
          return await db.query(text, given);
        } catch (cause) {
          throw new Error(`Failed query: ${text}`, { cause });
        }
      },
    };
    await expect(store({ client, where: 'deleted_at is null' }).migrate()).rejects.toThrow(
      'PostgresStore: where does not fit the table: column "deleted_at" does not exist',
    );
  });
});

describe('options that a table can serve', () => {
  test('are tried without reading a row', async () => {
    await db.exec(`insert into bots values ('acme', 'slack'); create sequence reads;
      create function seen() returns bool language sql volatile as $$ select nextval('reads') > 0 $$`);
    const seeing = store({ where: 'seen()', stopped: 'not seen()', columns: { config: ['seen()', '1 / (halted::int)'] } });
    await seeing.migrate();
    expect(await seeing.check()).toEqual([]);
    expect(await values('select is_called as value from reads')).toEqual([false]);
  });

  describe('to a role', () => {
    const as = async (role: string, work: () => Promise<void>): Promise<void> => {
      await db.exec(`create role ${role}; grant usage on schema public to ${role}`);
      try {
        await work();
      } finally {
        await db.exec(`rollback; reset role; drop owned by ${role}; drop role ${role}`);
      }
    };

    test('that may only read, with versions: hash, and on a view', async () => {
      await as('reader', async () => {
        await db.exec(`create view seen as select * from bots; grant select on bots, seen to reader; set role reader;
          begin read only; set local lock_timeout = '7s'`);
        for (const table of ['bots', 'seen']) {
          const reading = store({ table, versions: 'hash' });
          expect({ found: await reading.check(), repaired: await reading.migrate() }).toEqual(NOTHING_WRONG);
          expect(await reading.get('acme')).toBeUndefined();
        }
        await expect(values(`select current_setting('lock_timeout') as value`)).resolves.toEqual(['7s']);
      });
    });

    test('that may not read, in a transaction that goes on, with its settings', async () => {
      await as('migrator', async () => {
        await db.exec(`set role migrator; begin; set local lock_timeout = '7s'`);
        const blind = store({ versions: 'hash' });
        expect({ found: await blind.check(), repaired: await blind.migrate() }).toEqual(NOTHING_WRONG);
        await expect(values(`select current_setting('lock_timeout') as value`)).resolves.toEqual(['7s']);
        await expect(store({ versions: 'hash', where: 'deleted_at is null' }).migrate()).rejects.toThrow('PostgresStore: where');
      });
    });

    test('that may not use PL/pgSQL', async () => {
      await as('reader', async () => {
        await db.exec('grant select on bots to reader; revoke usage on language plpgsql from public; set role reader');
        try {
          const reading = store({ versions: 'hash' });
          expect({ found: await reading.check(), repaired: await reading.migrate() }).toEqual(NOTHING_WRONG);
        } finally {
          await db.exec('reset role; grant usage on language plpgsql to public');
        }
      });
    });
  });

  test('fail check and migrate with the error of a database that is down', async () => {
    let down = false;
    const lost = Object.assign(new Error('terminating connection'), { code: '57P01' });
    const client = {
      query: async (text: string, given: unknown[]) => {
        if (down && text.startsWith('do ')) throw lost;
        return await db.query(text, given);
      },
    };
    await store({ client }).migrate();
    down = true;
    await expect(store({ client }).check()).rejects.toBe(lost);
    await expect(store({ client }).migrate()).rejects.toBe(lost);
  });
});
