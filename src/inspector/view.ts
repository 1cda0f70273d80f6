import type { ConnectionSnapshot, RegistrySnapshot } from '../snapshot.js';
import { COLUMN_MS, type Failure, type History, type LatencyColumn } from './history.js';

/** One operator's search, filter and order. */
export interface Query {
  /** Part of an id; upper and lower case are the same. */
  readonly search: string;
  readonly state: string;
  readonly sort: 'id' | 'age' | 'leases' | 'leased' | 'failures';
  readonly offset: number;
}

/** One line of the table. Times are in milliseconds. */
export interface Row extends Partial<Omit<ConnectionSnapshot, 'id' | 'state'>> {
  readonly id: string;
  /** As in a snapshot, or `'failed'`: there is no instance, because the last hydrate failed. */
  readonly state: string;
  readonly failure?: { readonly code: string; readonly failures: number; readonly retryInMs: number };
}

/** The contents of the page, as plain JSON. */
export interface View extends Omit<RegistrySnapshot, 'connections'> {
  readonly failed: number;
  readonly latency: { readonly columnMs: number; readonly columns: readonly LatencyColumn[] };
  /** The number of all lines. `matching` of them match, and `rows` begin at `offset`. */
  readonly total: number;
  readonly matching: number;
  readonly offset: number;
  readonly rows: readonly Row[];
}

/** Lines per page. */
export const PAGE = 100;

const SORTS: Record<Query['sort'], (a: Row, b: Row) => number> = {
  id: (a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  age: (a, b) => (b.ageMs ?? -1) - (a.ageMs ?? -1),
  leases: (a, b) => (b.leases ?? 0) - (a.leases ?? 0),
  leased: (a, b) => (b.leasedForMs ?? -1) - (a.leasedForMs ?? -1),
  failures: (a, b) => (b.failure?.failures ?? 0) - (a.failure?.failures ?? 0),
};

/** Reads a page's query. Invalid parameters are ignored. */
export function queryOf(parameters: URLSearchParams): Query {
  const sort = String(parameters.get('sort'));
  return {
    search: parameters.get('search') ?? '',
    state: parameters.get('state') ?? '',
    sort: Object.hasOwn(SORTS, sort) ? sort as Query['sort'] : 'id',
    offset: Math.max(0, Number(parameters.get('offset')) || 0),
  };
}

/** A line for each connection and each remembered failure. Costs a pass over all of them. */
export function rowsOf({ connections }: RegistrySnapshot, { failures }: History, now: number): Row[] {
  const rows: Row[] = [];
  const shown = new Set<string>();
  for (const connection of connections) {
    const failure = failures.get(connection.id);
    if (failure === undefined) rows.push(connection);
    else {
      shown.add(connection.id);
      rows.push({ ...connection, failure: told(failure, now) });
    }
  }
  for (const [id, failure] of failures) {
    if (!shown.has(id)) rows.push({ id, state: 'failed', version: failure.version, leases: 0, failure: told(failure, now) });
  }
  return rows;
}

const told = ({ code, failures, retryAt }: Failure, now: number): NonNullable<Row['failure']> =>
  ({ code, failures, retryInMs: Math.max(0, retryAt - now) });

/** The part that one query shows. */
export function viewOf(snapshot: RegistrySnapshot, history: History, rows: readonly Row[], query: Query): View {
  const { connections: _connections, ...counts } = snapshot;
  const search = query.search.toLowerCase();
  const matches = rows.filter(
    ({ id, state }) => (query.state === '' || state === query.state) && id.toLowerCase().includes(search),
  );
  const offset = Math.min(query.offset, Math.max(0, matches.length - 1));
  const start = offset - (offset % PAGE);
  matches.sort(SORTS[query.sort]);
  return {
    ...counts,
    failed: history.failures.size,
    latency: { columnMs: COLUMN_MS, columns: history.columns() },
    total: rows.length, matching: matches.length, offset: start,
    rows: matches.slice(start, start + PAGE),
  };
}
