import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { postgresStoreCases } from './support/postgres-store.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const recipe = await import('./recipes/sequelize.js');
afterAll(() => recipe.sequelize.close());

tableStoreCases({ client: 'Sequelize', engine: POSTGRES }, database.bots, recipe);
postgresStoreCases({ name: 'Sequelize', engine: POSTGRES, client: recipe.client, pool: database.pool });
