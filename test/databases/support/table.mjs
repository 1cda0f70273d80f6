const BEGIN = '<!-- The table that `npm run databases` prints. -->\n\n';

/** The columns: a store, and where its versions come from. */
const KINDS = [
  ['tableStore', 'hash of the row'], ['tableStore', 'a column'], ['PostgresStore', 'own table'], ['PostgresStore', 'table'],
  ['PostgresStore', 'hash'], ['PostgresStore', 'a column'], ['PostgresClaims', 'fencing tokens'],
];

/** A table of what passed, out of vitest's reports. Suites are named `client | engine | store | version`. */
export function tableOf(reports) {
  const rows = new Map();
  for (const { ancestorTitles, status } of reports
    .flatMap(({ testResults }) => testResults)
    .flatMap(({ assertionResults }) => assertionResults)) {
    const name = ancestorTitles.map((title) => title.split(' | ')).find(({ length }) => length === 4);
    if (name === undefined) continue;
    const [client, engine, ...kind] = name;
    const row = `${client} | ${engine}`;
    if (!rows.has(row)) rows.set(row, new Map());
    const { passed = 0, all = 0 } = rows.get(row).get(kind.join()) ?? {};
    rows.get(row).set(kind.join(), { passed: passed + (status === 'passed' ? 1 : 0), all: all + 1 });
  }
  const lines = [...rows]
    .toSorted()
    .map(([row, counts]) => [row, ...KINDS.map((kind) => cell(counts.get(kind.join())))].join(' | '));
  const heading = ['client', 'engine', ...KINDS.map(([store, version]) => `\`${store}\`, ${version}`)];
  return [heading.join(' | '), heading.map(() => '---').join(' | '), ...lines].map((line) => `| ${line} |\n`).join('');
}

function cell(count) {
  if (count === undefined) return '';
  return count.passed === count.all ? `${count.all} pass` : `${count.passed} of ${count.all} pass`;
}

/** The table that a guide shows. */
export function tableIn(guide) {
  const from = guide.indexOf(BEGIN) + BEGIN.length;
  return /^(?:\|.*\n)*/.exec(guide.slice(from))?.[0] ?? '';
}

/** The guide with another table. */
export function guideWith(guide, table) {
  return guide.replace(BEGIN + tableIn(guide), () => BEGIN + table);
}
