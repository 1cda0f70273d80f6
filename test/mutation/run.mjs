/**
 * `npm run proof:mutation` makes every small change of the source that Stryker knows, one at a time, and counts the
 * changes that no test notices. `npm run proof:mutation -- slot hydrate` judges only those groups. It installs Stryker
 * when that is missing. It writes the survivors, each with its reason, to reports/mutation/survivors.md. With `--dry-run` it
 * only runs the tests once, without a change.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { figures, table } from './figures.mjs';
import { NAMES } from './groups.mjs';
import { writeSurvivors } from './survivors.mjs';

const HERE = fileURLToPath(new URL('./', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { values: { 'dry-run': dryRun }, positionals } = parseArgs({
  options: { 'dry-run': { type: 'boolean', default: false } },
  allowPositionals: true,
});
const names = positionals.length > 0 ? positionals : NAMES;

const unknown = names.filter((name) => !NAMES.includes(name));
if (unknown.length > 0) {
  console.error(`Expected some of ${NAMES.join(', ')}, got ${unknown.join(', ')}`);
  process.exit(1);
}
if (!existsSync(`${HERE}node_modules`)) execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: HERE, stdio: 'inherit' });

for (const name of names) {
  forgetStaticSurvivors(name);
  // The second pass runs the longest tests, for the survivors of the first one only.
  for (const pass of dryRun ? ['1'] : ['1', '2']) {
    const { status } = spawnSync(
      process.execPath,
      [
        `${HERE}node_modules/@stryker-mutator/core/bin/stryker.js`, 'run', `${HERE}stryker.config.mjs`,
        ...(dryRun ? ['--dryRunOnly'] : []),
      ],
      { cwd: ROOT, stdio: 'inherit', env: { ...process.env, MUTATION_GROUP: name, MUTATION_PASS: pass } },
    );
    if (status !== 0) process.exit(status ?? 1);
  }
}
if (dryRun) process.exit();
const rows = names.map((name) => figures(name));
console.log(table(rows));
console.log(writeSurvivors(names));
if (rows.some(({ killed, goal }) => killed < goal)) process.exitCode = 1;

/**
 * A change of code that runs while its module loads is a static mutant. Stryker knows no test that covers it, so a later run
 * would not judge it again by new tests.
 */
function forgetStaticSurvivors(name) {
  const path = `reports/mutation/${name}-incremental.json`;
  if (!existsSync(path)) return;
  const report = JSON.parse(readFileSync(path, 'utf8'));
  for (const file of Object.values(report.files))
    file.mutants = file.mutants.filter((mutant) => !(mutant.static && mutant.status === 'Survived'));
  writeFileSync(path, JSON.stringify(report));
}
