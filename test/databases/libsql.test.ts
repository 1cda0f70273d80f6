import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { BOTS, sqliteFile, writerOf } from './support/sqlite.js';

process.env['LIBSQL_URL'] = `file:${sqliteFile()}`;
const recipe = await import('./recipes/libsql.js');
await recipe.client.execute(BOTS);
afterAll(() => recipe.client.close());

tableStoreCases({ client: 'libSQL', engine: 'libSQL' }, writerOf((sql, args) => recipe.client.execute({ sql, args })), recipe);
