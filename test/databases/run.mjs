#!/usr/bin/env node
/*
 * Runs the conformance suites through every driver, ORM and engine, and prints what passed.
 *
 *   npm run databases                 everything; builds better-sqlite3 and fetches Node 24 for node:sqlite
 *   npm run databases -- --short      fewer kinds of version, and nothing that has to be built or fetched
 *   npm run databases -- --write      everything, and writes the table into the guide
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { guideWith, tableIn, tableOf } from './support/table.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..', '..');
const guide = join(root, 'examples', 'guides', 'your-database.md');
const isShort = process.argv.includes('--short');
/** node:sqlite came with Node 22.13. */
const [major, minor] = process.versions.node.split('.').map(Number);
const hasSqlite = major > 22 || (major === 22 && minor >= 13);
const results = mkdtempSync(join(tmpdir(), 'hydrant-databases-'));

function run(command, args, { env = {}, cwd = here } = {}) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env } });
  if (error !== undefined) throw error;
  return status === 0;
}

function must(...args) {
  if (!run(...args)) throw new Error(`${args[0]} ${args[1].join(' ')} failed`);
}

function prepare() {
  if (!existsSync(join(here, 'node_modules'))) must('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
  // Generating needs no engine, and its command line would download one.
  if (!existsSync(join(here, 'recipes/prisma/generated'))) {
    must('npx', ['prisma', 'generate', '--schema', 'recipes/prisma/schema.prisma'], {
      env: { PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true' },
    });
  }
  if (!isShort && !existsSync(join(here, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node'))) {
    must('npm', ['rebuild', 'better-sqlite3', '--foreground-scripts']);
  }
  must(process.execPath, [join(root, 'node_modules/ts7/bin/tsc'), '-p', here]);
}

/** Runs vitest on some files; its report is one of those that make the table. */
function suite(name, node, args) {
  const report = join(results, `${name}.json`);
  const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', join(here, 'vitest.config.ts')];
  const passed = run(
    node[0],
    [...node.slice(1), ...vitest, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args],
    { env: isShort ? { SHORT: '1' } : {}, cwd: root },
  );
  return { passed, report: JSON.parse(readFileSync(report, 'utf8')) };
}

try {
  prepare();
  const left = [...(isShort ? ['better-sqlite3'] : []), ...(hasSqlite ? [] : ['node-sqlite'])];
  const suites = [suite('all', [process.execPath], left.map((name) => `--exclude=**/${name}.test.ts`))];
  if (!isShort && !hasSqlite)
    suites.push(suite('node-sqlite', ['npx', '-y', '-p', 'node@24.21.0', '--', 'node'], ['node-sqlite']));
  const table = tableOf(suites.map(({ report }) => report));
  process.stdout.write(`\n${table}\n`);
  if (isShort)
    process.stdout.write(`Not run in the short form: ${[...left, 'versions hash and a column', 'PostgresClaims'].join(', ')}.\n`);
  if (suites.some(({ passed }) => !passed)) throw new Error('a suite failed');
  if (process.argv.includes('--write')) writeFileSync(guide, guideWith(readFileSync(guide, 'utf8'), table));
  else if (!isShort && tableIn(readFileSync(guide, 'utf8')) !== table)
    throw new Error('the guide shows another table: run with --write');
} catch (error) {
  process.stderr.write(`\n*** ${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(results, { recursive: true, force: true });
}
