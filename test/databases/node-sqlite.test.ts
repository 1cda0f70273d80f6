import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { BOTS, sqliteFile, writerOf } from './support/sqlite.js';

process.env['SQLITE_FILE'] = sqliteFile();
const recipe = await import('./recipes/node-sqlite.js');
recipe.db.exec(BOTS);
afterAll(() => recipe.db.close());

tableStoreCases(
  { client: 'node:sqlite', engine: 'SQLite' },
  writerOf((sql, values) => recipe.db.prepare(sql).run(...values)),
  recipe,
);
