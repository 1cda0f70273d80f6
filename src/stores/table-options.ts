import { aFunction, check, expecting, once, optional, shape, text, type Check } from '../checks.js';
import type { ConnectionRecord, ConnectionStatus, Version } from '../contracts/record.js';
import type { Fields } from './drafts.js';

/** The record of a row in {@link tableStore}: all columns of the row, with `id`, `version` and `status` replaced. */
export type TableRecord<T> = Fields<T> & ConnectionRecord;

/** Options of {@link tableStore}. */
export interface TableStoreOptions<T extends object> {
  /**
   * Reads the rows with these ids from the primary, in any order, without the missing ones. Ids come from URLs, so pass
   * them as parameters. `signal` aborts when no caller waits for the rows any more.
   */
  read(ids: readonly string[], options: { readonly signal: AbortSignal }): PromiseLike<readonly T[]> | readonly T[];
  /** The id of a row, as text. Default: the column `id`. */
  readonly id?: (row: T) => string;
  /** The status of a row. Default: `'stopped'` if the column `status` is `'stopped'`, otherwise `'active'`. */
  readonly status?: (row: T) => ConnectionStatus;
  /**
   * The version of a row, if your application maintains one. It must change with every change of the configuration.
   * Default: a SHA-256 of the row's columns and status.
   */
  readonly version?: (row: T) => Version;
  /**
   * Columns that are not configuration, such as `lastError`. The default version leaves them out. Only the types refuse a
   * name that no row has, because a document may lack a field.
   */
  readonly ignore?: readonly (keyof T & string)[];
  /** Whether an id can exist. Other ids are unknown without a query. In PostgreSQL, a text that is not a uuid fails a query. */
  readonly validId?: (id: string) => boolean;
  /**
   * Turns the default version into an HMAC with this key, the same on every replica. Versions appear in logs. Without a
   * key, a reader of logs who knows the rest of a row could test guesses of a short secret in it, such as a PIN.
   */
  readonly versionKey?: string;
}

const isNames = (value: unknown): boolean => Array.isArray(value) && value.every((name) => typeof name === 'string');

const optionsShape = /* @__PURE__ */ once(() => shape('an object of options', {
  read: aFunction('a function (ids, { signal }) => rows'),
  id: optional(aFunction()),
  status: optional(aFunction()),
  version: optional(aFunction()),
  ignore: optional(expecting('an array of column names', isNames)),
  validId: optional(aFunction()),
  versionKey: optional(text('a text that is not empty', (key) => key !== '') as Check<string>),
}));

/** @throws ConnectionError `INVALID_OPTIONS` */
export function checkedTableOptions<T extends object>(options: TableStoreOptions<T>): TableStoreOptions<T> {
  return check<object>('tableStore', optionsShape(), options) as TableStoreOptions<T>;
}
