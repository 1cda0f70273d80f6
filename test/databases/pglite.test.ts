import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { BOTS, writerOf } from './support/postgres.js';

const recipe = await import('./recipes/pglite.js');
await recipe.client.exec(BOTS);
afterAll(() => recipe.client.close());

tableStoreCases({ client: 'PGlite', engine: 'PGlite' }, writerOf(recipe.client), recipe);
