import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const recipe = await import('./recipes/postgres-js.js');
afterAll(() => recipe.sql.end());

tableStoreCases({ client: 'postgres.js', engine: POSTGRES }, database.bots, recipe);
