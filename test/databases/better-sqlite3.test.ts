import Database from 'better-sqlite3';
import { afterAll } from 'vitest';
import { tableStoreCases } from './support/cases.js';
import { BOTS, sqliteFile, writerOf } from './support/sqlite.js';

const file = process.env['SQLITE_FILE'] = sqliteFile();
new Database(file).exec(BOTS).close();
const recipe = await import('./recipes/better-sqlite3.js');
afterAll(() => { recipe.db.close(); });

tableStoreCases(
  { client: 'better-sqlite3', engine: 'SQLite' },
  writerOf((sql, values) => recipe.db.prepare(sql).run(...values)),
  recipe,
);
