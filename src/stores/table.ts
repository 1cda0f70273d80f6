import type { ConnectionStore, StoreReadOptions } from '../contracts/store.js';
import { isConnectionError } from '../errors.js';
import { checkedTableOptions, type TableRecord, type TableStoreOptions } from './table-options.js';
import { TableReader } from './table-reader.js';

/** A store over any table. It has `get` and `getMany`. */
export interface TableStore<T> extends ConnectionStore<TableRecord<T>> {
  getMany(ids: readonly string[], options?: StoreReadOptions): Promise<ReadonlyMap<string, TableRecord<T>>>;
}

/**
 * A store over a table of yours, through any ORM or driver. It needs one function that reads rows. It migrates nothing and
 * writes nothing.
 *
 * A row that has no version or status is `INVALID_RECORD` for its id alone. When `read` fails for several ids, each is
 * read by itself, at most 8 at a time, so one bad id or row does not fail the others.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 *
 * @example
 * const store = tableStore({
 *   read: (ids) => db.select().from(bots).where(inArray(bots.id, ids)),
 *   status: (row) => (row.pausedAt === null ? 'active' : 'stopped'),
 *   ignore: ['lastError', 'updatedAt'],
 * });
 */
export function tableStore<T extends object>(options: TableStoreOptions<T>): TableStore<T> {
  const reader = new TableReader<T>(checkedTableOptions(options));
  return {
    async get(id, readOptions) {
      const found = (await reader.getMany([id], readOptions)).get(id);
      if (isConnectionError(found)) throw found;
      return found;
    },
    // A record that cannot be read is replaced by an error, as the contract says.
    getMany: (ids, readOptions) => reader.getMany(ids, readOptions) as Promise<ReadonlyMap<string, TableRecord<T>>>,
  };
}
