import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const recipe = await import('./recipes/pg.js');
recipe.pool.removeAllListeners('error').on('error', () => {});
afterAll(() => recipe.pool.end());

tableStoreCases({ client: 'pg', engine: POSTGRES }, database.bots, recipe);
