import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { functionAt, functionsOf } from '../support/source-text.mjs';
import { figures, table } from './figures.mjs';
import { reasonFor, unused } from './reasons.mjs';

const FILE = 'reports/mutation/survivors.md';
const NO_REASON = 'no reason is known: a test is missing';

/** Writes `reports/mutation/survivors.md` from the reports of these groups. @returns what to print about it */
export function writeSurvivors(names) {
  const judged = names.filter((name) => existsSync(`reports/mutation/${name}.json`));
  const used = new Set();
  const functions = [];
  const lines = ['# What no test notices', '', '```text', table(judged.map((name) => figures(name))), '```', ''];
  let unexplained = 0;
  for (const name of judged) {
    const byReason = new Map();
    for (const survivor of survivorsOf(name, functions)) {
      const reason = reasonFor(survivor);
      if (reason === undefined) unexplained += 1;
      else used.add(reason);
      const because = reason?.because ?? NO_REASON;
      byReason.set(because, [...(byReason.get(because) ?? []), shown(survivor)]);
    }
    lines.push(`## ${name}`, '');
    for (const [because, changes] of byReason) lines.push(`${because[0].toUpperCase()}${because.slice(1)}:`, '', ...changes, '');
  }
  const idle = unused(functions, used).map(
    ({ in: places, from = '', to = '', because }) => `- ${places.join(', ')} ${from} ${to}: ${because}`,
  );
  if (idle.length > 0) lines.push('## Reasons that explain nothing', '', ...idle, '');
  writeFileSync(FILE, `${lines.join('\n').trimEnd()}\n`);
  return `${FILE} lists what survived: ${unexplained} without a reason, and ${idle.length} reasons that explain nothing`;
}

/** @param {string[]} functions gets the names of all functions of the group */
function survivorsOf(group, functions) {
  const { files } = JSON.parse(readFileSync(`reports/mutation/${group}.json`, 'utf8'));
  return Object.entries(files).flatMap(([file, { mutants, source }]) => {
    const named = functionsOf(source);
    functions.push(...named.map(({ name }) => name));
    const starts = [0];
    for (const line of source.split('\n')) starts.push(starts.at(-1) + line.length + 1);
    const offset = ({ line, column }) => starts[line - 1] + column - 1;
    return mutants
      .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
      .map(({ location, mutatorName, replacement = '' }) => ({
        file,
        line: location.start.line,
        name: functionAt(named, offset(location.start)),
        operator: mutatorName,
        original: source.slice(offset(location.start), offset(location.end)),
        replacement,
      }));
  });
}

function shown({ file, line, name, operator, original, replacement }) {
  const code = (text) => (text === '' ? 'nothing' : `\`\`${text.replaceAll(/\s+/g, ' ').slice(0, 80)}\`\``);
  return `- ${file.slice(4)}:${line} ${name} ${operator} ${code(original)} → ${code(replacement)}`;
}
