import pg from 'pg';
import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { postgresStoreCases } from './support/postgres-store.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const recipe = await import('./recipes/pg.js');
afterAll(() => recipe.pool.end());

tableStoreCases({ client: 'pg', engine: POSTGRES }, database.bots, recipe);
postgresStoreCases({
  name: 'pg', engine: POSTGRES, client: recipe.pool, pool: database.pool,
  listenClient: () => new pg.Client({ connectionString: database.url }),
  interrupt: database.cutListeners,
});
