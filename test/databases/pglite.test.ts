import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { postgresStoreCases } from './support/postgres-store.js';
import { BOTS, writerOf } from './support/postgres.js';

const recipe = await import('./recipes/pglite.js');
await recipe.client.exec(BOTS);
afterAll(() => recipe.client.close());

tableStoreCases({ client: 'PGlite', engine: 'PGlite' }, writerOf(recipe.client), recipe);
postgresStoreCases({ name: 'PGlite', engine: 'PGlite', client: recipe.client, pool: recipe.client });
