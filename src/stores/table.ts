import type { ConnectionRecord, ConnectionStatus, Version } from '../contracts/record.js';
import type { ConnectionStore, StoreReadOptions } from '../contracts/store.js';
import { isConnectionError } from '../errors.js';
import type { Fields } from './drafts.js';
import { checkedTableOptions } from './table-options.js';
import { TableReader } from './table-reader.js';

/** A record that {@link tableStore} makes of a row: all of its columns, with `id`, `version` and `status` replaced. */
export type TableRecord<T> = Fields<T> & ConnectionRecord;

/** A store over any table. It has `get` and `getMany`. */
export interface TableStore<T> extends ConnectionStore<TableRecord<T>> {
  getMany(ids: readonly string[], options?: StoreReadOptions): Promise<ReadonlyMap<string, TableRecord<T>>>;
}

/** Options of {@link tableStore}. */
export interface TableStoreOptions<T extends object> {
  /**
   * Reads the rows with these ids from the primary, in any order, without the missing ones. Ids come from URLs, so pass
   * them as parameters. `signal` aborts when no caller waits for the rows any more.
   */
  read(ids: readonly string[], options: { readonly signal: AbortSignal }): PromiseLike<readonly T[]> | readonly T[];
  /** The id of a row, as text. Default: the column `id`. */
  readonly id?: (row: T) => string;
  /** Default: `'stopped'` where the column `status` says so, otherwise `'active'`. */
  readonly status?: (row: T) => ConnectionStatus;
  /**
   * The version of a row, when your application maintains one: it must change with every change of the configuration.
   * Default: a SHA-256 of the row's columns and status.
   */
  readonly version?: (row: T) => Version;
  /** Columns that are not configuration, such as `lastError`. The default version leaves them out. */
  readonly ignore?: readonly (keyof T & string)[];
  /** Whether an id can exist. Others are answered without a query: a text that is no uuid fails a query for uuids. */
  readonly validId?: (id: string) => boolean;
  /**
   * Turns the default version into an HMAC with this key, the same on every replica. Versions appear in logs. Without a
   * key, a reader of logs who knows the rest of a row could test guesses of a short secret in it, such as a PIN.
   */
  readonly versionKey?: string;
}

/**
 * A store over a table of yours, through any ORM or driver: one function that reads rows is enough. Nothing is migrated
 * and nothing is written.
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
    // As the contract has it, an error stands in the place of a record that cannot be read.
    getMany: (ids, readOptions) => reader.getMany(ids, readOptions) as Promise<ReadonlyMap<string, TableRecord<T>>>,
  };
}
