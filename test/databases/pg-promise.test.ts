import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { postgresStoreCases } from './support/postgres-store.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const recipe = await import('./recipes/pg-promise.js');
afterAll(() => recipe.db.$pool.end());

tableStoreCases({ client: 'pg-promise', engine: POSTGRES }, database.bots, recipe);
postgresStoreCases({ name: 'pg-promise', engine: POSTGRES, client: recipe.client, pool: database.pool });
