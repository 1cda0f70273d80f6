import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { postgresStoreCases } from './support/postgres-store.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const recipe = await import('./recipes/typeorm.js');
afterAll(() => recipe.dataSource.destroy());

tableStoreCases({ client: 'TypeORM', engine: POSTGRES }, database.bots, recipe);
postgresStoreCases({ name: 'TypeORM', engine: POSTGRES, client: recipe.client, pool: database.pool });
