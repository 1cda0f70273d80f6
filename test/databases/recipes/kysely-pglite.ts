import { PGlite } from '@electric-sql/pglite';
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';

/** PGlite as the pool that Kysely expects. It has one connection, so a transaction has it to itself. */
function poolOf(pglite: PGlite): PostgresPool {
  let free: Promise<void> = Promise.resolve();
  const pool = {
    async connect() {
      const before = free;
      let release = () => {};
      free = new Promise((resolve) => { release = resolve; });
      await before;
      return {
        release,
        async query(sql: string, parameters: readonly unknown[]) {
          const { rows, affectedRows } = await pglite.query(sql, [...parameters]);
          return { rows, rowCount: affectedRows ?? 0, command: 'UPDATE' }; // Kysely counts the rows of writes only
        },
      };
    },
    end: () => pglite.close(),
  };
  return pool as unknown as PostgresPool;
}

export const createTestDatabase = <Tables>() =>
  new Kysely<Tables>({ dialect: new PostgresDialect({ pool: poolOf(new PGlite()) }) });
