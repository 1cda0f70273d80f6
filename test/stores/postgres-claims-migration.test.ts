import type { PGlite } from '@electric-sql/pglite';
import { PostgresClaims } from 'hydrant/postgres';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { catalogueOf } from './support/catalogue.js';
import { emptyPglite, startPglite } from './support/pglite.js';

let db: PGlite;
beforeAll(async () => { await startPglite(); }, 60_000);
beforeEach(async () => { db = await emptyPglite(); });

const { values } = catalogueOf(() => db);

describe('the migration of claims', () => {
  const request = { replica: 'a', ttlMs: 60_000, ids: ['c1', 'c2'], limit: 2, freeForMs: 0 };

  test.each(['hydrant_claims', 'elsewhere.my "claims"'])(
    '%s: does nothing when there is nothing to do, and leaves nothing behind on the way down',
    async (table) => {
      await db.exec('create schema elsewhere');
      const [schema, name] = table.includes('.') ? (table.split('.') as [string, string]) : ['public', table];
      const left = () =>
        values(`select relname || ' ' || xmin as value from pg_class where relnamespace = '${schema}'::regnamespace order by 1`);
      const claims = new PostgresClaims({ client: db, table });
      await claims.migrate();
      const migrated = await left();
      expect(migrated.join(' ')).toContain(name);
      const sequence = `${schema}."${`${name}_token_seq`.replaceAll('"', '""')}"`;
      await db.query(`select setval($1, 5)`, [sequence]);
      await claims.migrate();
      expect(await left()).toEqual(migrated);
      expect(await values(`select last_value as value from ${sequence}`)).toEqual([5]);
      expect(await claims.claim(request)).toHaveLength(2);
      const { up, down } = PostgresClaims.migrationSql({ table });
      await db.exec(down);
      expect(await left()).toEqual([]);
      await db.exec(up);
      expect(await claims.claim(request)).toHaveLength(2);
      const before = await left();
      await claims.migrate();
      expect(await left()).toEqual(before);
    },
  );

  test('as SQL for a file is for hydrant_claims by default', async () => {
    await db.exec(PostgresClaims.migrationSql().up);
    expect(await new PostgresClaims({ client: db }).claim(request)).toHaveLength(2);
  });

  test('has an index for the claims of a replica', async () => {
    await new PostgresClaims({ client: db }).migrate();
    expect(await values(`select indexdef as value from pg_indexes where tablename = 'hydrant_claims'`)).toContainEqual(
      expect.stringContaining('(owner)'),
    );
  });

  test('tokens do not restart after down and up', async () => {
    const { up, down } = PostgresClaims.migrationSql();
    const tokens = new Set<bigint>();
    for (let n = 0; n < 3; n += 1) {
      await db.exec(up);
      for (const { token } of await new PostgresClaims({ client: db }).claim(request)) tokens.add(token);
      await db.exec(down);
    }
    expect(tokens.size).toBe(6);
  });
});
