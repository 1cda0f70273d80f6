import { inArray } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import pg from 'pg';
import { tableStore } from 'hydrant';
import { drizzleClient } from 'hydrant/postgres';
import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { postgresStoreCases } from './support/postgres-store.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const recipe = await import('./recipes/drizzle.js');
afterAll(() => recipe.db.$client.end());

tableStoreCases({ client: 'Drizzle over pg', engine: POSTGRES }, database.bots, recipe);
postgresStoreCases({
  name: 'Drizzle over pg', engine: POSTGRES, client: recipe.client, pool: database.pool,
  listenClient: () => new pg.Client({ connectionString: database.url }),
  interrupt: database.cutListeners,
});

const overPostgresJs = drizzle(database.url);
afterAll(() => overPostgresJs.$client.end());
const { bots } = recipe;
const read = async (ids: readonly string[]) => await overPostgresJs.select().from(bots).where(inArray(bots.id, ids));
const store = tableStore({ read, status: (row) => (row.pausedAt === null ? 'active' : 'stopped'), ignore: ['lastError', 'rev'] });

tableStoreCases({ client: 'Drizzle over postgres.js', engine: POSTGRES }, database.bots, { read, store });
postgresStoreCases({
  name: 'Drizzle over postgres.js',
  engine: POSTGRES,
  client: drizzleClient(overPostgresJs),
  pool: database.pool,
});
