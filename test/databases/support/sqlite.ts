import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Writer } from './cases.js';

/** The schema lines that the guide shows. */
export const BOTS = readFileSync(new URL('../recipes/sqlite.sql', import.meta.url), 'utf8');

/** A new file for one test file. */
export function sqliteFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hydrant-sqlite-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'bots.db');
}

/** Writes through any client that runs one statement. */
export function writerOf(run: (sql: string, values: (string | number | null)[]) => unknown): Writer {
  return {
    write: async (id, { status, config }) => run(
      `insert into bots (id, token, paused_at, rev) values (?, ?, ?, ?)
       on conflict (id) do update set token = excluded.token, paused_at = excluded.paused_at, rev = excluded.rev`,
      [id, config, status === 'active' ? null : 0, randomUUID()]),
    remove: async (id) => run('delete from bots where id = ?', [id]),
    bookkeep: async (id) => run(`update bots set last_error = 'timed out' where id = ?`, [id]),
    clear: async () => run('delete from bots', []),
  };
}
