import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { postgresStoreCases } from './support/postgres-store.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const recipe = await import('./recipes/kysely.js');
afterAll(() => recipe.db.destroy());

tableStoreCases({ client: 'Kysely', engine: POSTGRES }, database.bots, recipe);
postgresStoreCases({ name: 'Kysely', engine: POSTGRES, client: recipe.client, pool: database.pool });
