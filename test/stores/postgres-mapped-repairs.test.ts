import type { PGlite } from '@electric-sql/pglite';
import type { PostgresStoreOptions } from 'hydrant/postgres';
import { describe, expect, test } from 'vitest';
import { botsStore, EVENTS, useBotsTable } from './support/bots-table.js';
import { catalogueOf, finding } from './support/catalogue.js';

let db: PGlite;
useBotsTable((given) => { db = given; });
const store = (options: Partial<PostgresStoreOptions<{ platform: string }>> = {}) => botsStore(db, options);

const { values, everything, triggers } = catalogueOf(() => db);

describe('a mapped table whose objects differ', () => {
  test.each<{ what: string; damage: string; found: object }>([
    {
      what: 'a lost schema',
      damage: 'drop schema hydrant cascade',
      found: finding('table hydrant."public.bots"', 'missing or different'),
    },
    {
      what: 'a lost table of touches',
      damage: 'drop table hydrant."public.bots"',
      found: finding('table hydrant."public.bots"', 'missing or different'),
    },
    {
      what: 'a lost column',
      damage: 'alter table hydrant."public.bots" drop column version',
      found: finding('table hydrant."public.bots"', 'missing or different'),
    },
    {
      what: 'a lost key',
      damage: 'alter table hydrant."public.bots" drop constraint "public.bots_pkey"',
      found: finding('table hydrant."public.bots"', 'missing or different'),
    },
    {
      what: 'a key of another column',
      damage: `alter table hydrant."public.bots" drop constraint "public.bots_pkey", add primary key (version)`,
      found: finding('table hydrant."public.bots"', 'missing or different'),
    },
    {
      what: 'a lost function',
      damage: 'drop function hydrant."public.bots_notify" cascade',
      found: finding('function hydrant."public.bots_notify"()'),
    },
    {
      what: 'another function',
      damage: `create or replace function hydrant."public.bots_notify"() returns trigger language plpgsql as 
        $$ begin return null; end $$`,
      found: finding('function hydrant."public.bots_notify"()', 'different'),
    },
    {
      what: 'a function for something else',
      damage: `drop function hydrant."public.bots_notify" cascade;
        create function hydrant."public.bots_notify"() returns int language sql as 'select 1'`,
      found: finding('function hydrant."public.bots_notify"()', 'different'),
    },
    {
      what: 'a function with rights',
      damage: `alter function hydrant."public.bots_notify" security definer`,
      found: finding('function hydrant."public.bots_notify"()', 'different'),
    },
    {
      what: 'a function for everybody',
      damage: 'grant execute on function hydrant."public.bots_notify" to public',
      found: finding('function hydrant."public.bots_notify"()', 'may be executed by every role'),
    },
    {
      what: 'a lost trigger',
      damage: 'drop trigger hydrant_notify_update on bots',
      found: finding('trigger hydrant_notify_update on public.bots'),
    },
    {
      what: 'a trigger that never runs',
      damage: `create or replace trigger hydrant_notify_truncate after truncate on bots for each statement when (false)
        execute function hydrant."public.bots_notify"()`,
      found: finding('trigger hydrant_notify_truncate on public.bots', 'different'),
    },
    {
      what: 'a trigger of another event',
      damage: `drop trigger hydrant_notify_truncate on bots;
        create trigger hydrant_notify_truncate after delete on bots execute function hydrant."public.bots_notify"()`,
      found: finding('trigger hydrant_notify_truncate on public.bots', 'different'),
    },
    {
      what: 'disabled triggers',
      damage: 'alter table bots disable trigger user',
      found: finding('trigger hydrant_notify_update on public.bots', 'disabled'),
    },
  ])('finds $what, and migrate repairs it', async ({ damage, found }) => {
    await store().migrate();
    await db.exec(damage);
    expect(await store().check()).toContainEqual(found);
    expect(await store().migrate()).toContainEqual(found);
    expect(await store().check()).toEqual([]);
    expect(await store().touch('acme')).toBe(true);
  });

  test('drops no function that something else uses', async () => {
    await db.exec(`create schema hydrant; create function hydrant."public.bots_notify"() returns int language sql as 'select 1';
      create view theirs as select hydrant."public.bots_notify"() as n`);
    await expect(store().migrate()).rejects.toMatchObject({ code: '2BP01' });
    expect(await values('select n as value from theirs')).toEqual([1]);
  });

  test.each([['hash' as const], [{ column: 'rev' }]])(
    'versions %j need no objects, and existing ones are removed',
    async (versions) => {
      await db.exec('alter table bots add column rev int');
      const before = await everything();
      expect(await store({ versions }).migrate()).toEqual([]);
      await store().migrate();
      const found = await store({ versions }).migrate();
      expect(found).toContainEqual(finding('table hydrant."public.bots"', 'not wanted'));
      expect(found).toContainEqual(finding('trigger hydrant_notify_insert on public.bots', 'not wanted'));
      expect(await everything()).toEqual(before);
      await expect(store({ versions }).touch('acme')).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    },
  );

  test('without notify removes the notifications', async () => {
    await store().migrate();
    expect(await triggers()).toEqual(EVENTS.map((event) => `hydrant_notify_${event}`));
    await store({ notify: false }).migrate();
    expect(await triggers()).toEqual([]);
    expect(await values(`select proname as value from pg_proc where pronamespace = 'hydrant'::regnamespace`)).toEqual([]);
    expect(await store().touch('acme')).toBe(true);
  });
});
