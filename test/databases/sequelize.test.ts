import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const recipe = await import('./recipes/sequelize.js');
afterAll(() => recipe.sequelize.close());

tableStoreCases({ client: 'Sequelize', engine: POSTGRES }, database.bots, recipe);
