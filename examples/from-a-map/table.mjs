/**
 * In place of the table that all replicas share. Every write gives the row a new version.
 *
 * @typedef {{ id: string, status: 'active' | 'stopped', greeting: string, secret: string }} Row
 * @typedef {ReturnType<typeof createTable>} Table
 */
export function createTable() {
  /** @type {Map<string, Row & { version: number }>} */
  const rows = new Map();
  let version = 0;
  let isDown = false;
  /** @template T @param {() => T} look */
  const answer = async (look) => {
    if (isDown) throw new Error('the database is down');
    return look();
  };
  return {
    all: () => answer(() => [...rows.values()]),
    read: (/** @type {string} */ id) => answer(() => rows.get(id)),
    versions: (/** @type {readonly string[]} */ ids) =>
      answer(() => new Map([...rows.values()].filter(({ id }) => ids.includes(id)).map((row) => [row.id, row.version]))),
    write: (/** @type {Row} */ row) => answer(() => void rows.set(row.id, { ...row, version: ++version })),
    /** @param {boolean} down */
    fail(down) { isDown = down; },
  };
}
