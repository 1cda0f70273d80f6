/** @typedef {import('./outcome.mjs').Outcome} Outcome */

const COLUMNS = ['', 'statuses', 'answered', 'creates', 'Slack calls', 'row reads', 'version reads', 'p50 ms', 'p99 ms'];

/**
 * One table: each scenario, and its outcome in each way.
 *
 * @param {readonly { title: string, outcomes: ReadonlyMap<string, Outcome> }[]} played
 */
export function table(played) {
  const body = played.map(({ title, outcomes }) => ({ title, rows: [...outcomes].map(([way, outcome]) => cells(way, outcome)) }));
  const widths = COLUMNS.map((name, column) =>
    Math.max(name.length, ...body.flatMap(({ rows }) => rows.map((row) => row[column]?.length ?? 0))),
  );
  /** @param {readonly string[]} row */
  const line = (row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('   ')
      .trimEnd();
  const header = line(['scenario', ...COLUMNS.slice(1)]);
  const lines = [header, '─'.repeat(header.length)];
  for (const { title, rows } of body) lines.push(title, ...rows.map(line));
  return [...lines, '─'.repeat(header.length)].join('\n');
}

/**
 * @param {string} way
 * @param {Outcome} outcome
 */
function cells(way, { statuses, sent, answered, outdated, creates, vendorCalls, rowReads, versionReads, p50, p99 }) {
  return [
    `  ${way}`,
    statusesOf({ statuses }),
    sent === 0 ? '-' : `${answered} of ${sent}${outdated > 0 ? `, ${outdated} outdated` : ''}`,
    String(creates),
    String(vendorCalls),
    String(rowReads),
    String(versionReads),
    p50?.toFixed(1) ?? '-',
    p99?.toFixed(1) ?? '-',
  ];
}

/**
 * @param {Pick<Outcome, 'statuses'>} outcome
 * @returns {string} such as `67 × 200, 133 × 404`
 */
export function statusesOf({ statuses }) {
  return Object.entries(statuses).map(([status, count]) => `${count} × ${status === '0' ? 'broken' : status}`).join(', ') || '-';
}
