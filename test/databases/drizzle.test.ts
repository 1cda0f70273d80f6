import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const recipe = await import('./recipes/drizzle.js');
afterAll(() => recipe.db.$client.end());

tableStoreCases({ client: 'Drizzle over pg', engine: POSTGRES }, database.bots, recipe);
