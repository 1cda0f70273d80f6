import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { postgresStoreCases } from './support/postgres-store.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const recipe = await import('./recipes/prisma.js');
afterAll(() => recipe.prisma.$disconnect());

tableStoreCases({ client: 'Prisma', engine: POSTGRES }, database.bots, recipe);
postgresStoreCases({ name: 'Prisma', engine: POSTGRES, client: recipe.client, pool: database.pool });
