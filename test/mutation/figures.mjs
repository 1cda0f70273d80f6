import { readFileSync } from 'node:fs';

/** The folders in which every race of the registry is decided, and so nearly every change must be noticed. */
const CLOSE = new Set(['slot', 'hydrate', 'webhook', 'exclusive']);

/** The fate of a group's mutants, from Stryker's report. Ignored ones (texts of errors) do not count. */
export function figures(name) {
  const { files } = JSON.parse(readFileSync(`reports/mutation/${name}.json`, 'utf8'));
  const mutants = Object.values(files).flatMap((file) => file.mutants);
  const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const noticed = count('Killed', 'Timeout');
  const judged = noticed + count('Survived', 'NoCoverage');
  return {
    name,
    mutants: judged,
    noticed,
    killed: (100 * noticed) / judged,
    survived: judged - noticed,
    goal: CLOSE.has(name) ? 95 : 90,
  };
}

export function table(rows) {
  const mutants = rows.reduce((sum, row) => sum + row.mutants, 0);
  const noticed = rows.reduce((sum, row) => sum + row.noticed, 0);
  return [...rows, { name: 'all of these', mutants, survived: mutants - noticed, killed: (100 * noticed) / mutants }]
    .map(
      (row) =>
        `${row.name.padEnd(14)}${String(row.mutants).padStart(6)} mutants${String(row.survived).padStart(6)} `
          + `survived  ${row.killed.toFixed(1)} % killed`,
    )
    .join('\n');
}
