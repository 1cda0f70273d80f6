/** `node test/mutation/survivors.mjs`: writes SURVIVORS.md from the last reports. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { figures, table } from './figures.mjs';
import { NAMES } from './groups.mjs';
import { reasonFor } from './reasons.mjs';

const judged = NAMES.filter((name) => existsSync(`reports/mutation/${name}.json`));
const lines = [
  '# What no test notices',
  '',
  'Written by `npm run proof:mutation`: the figures of the last run, and each change that survived it, with the reason where it is known.',
  'Where none is given, a test is missing. Texts of errors are not changed. Line numbers are those of the run.',
  '',
  '```text',
  table(judged.map((name) => figures(name))),
  '```',
  '',
];
if (judged.length < NAMES.length) lines.push(`Not run: ${NAMES.filter((name) => !judged.includes(name)).join(', ')}.`, '');

for (const name of judged) {
  const byReason = new Map();
  for (const [file, { mutants, source }] of Object.entries(
    JSON.parse(readFileSync(`reports/mutation/${name}.json`, 'utf8')).files,
  )) {
    for (const mutant of mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')) {
      const { start, end } = mutant.location;
      const line = source.split('\n')[start.line - 1];
      const original =
        start.line === end.line ? line.slice(start.column - 1, end.column - 1) : `${line.slice(start.column - 1)}…`;
      const replacement = (mutant.replacement ?? '').replaceAll(/\s+/g, ' ');
      const reason = reasonFor({ file, original, replacement }) ?? 'no reason: a test is missing';
      const shown = (text) => `\`\`${text.slice(0, 80)}\`\``;
      byReason.set(reason, [
        ...(byReason.get(reason) ?? []),
        `- ${file.slice(4)}:${start.line} ${shown(original)} → ${replacement === '' ? 'nothing' : shown(replacement)}`,
      ]);
    }
  }
  lines.push(`## ${name}`, '');
  for (const [reason, changes] of byReason) lines.push(`${reason[0].toUpperCase()}${reason.slice(1)}:`, '', ...changes, '');
}
writeFileSync(new URL('./SURVIVORS.md', import.meta.url), `${lines.join('\n').trimEnd()}\n`);
