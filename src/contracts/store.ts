import type { ConnectionRecord, Version } from './record.js';

/** Options of every read. */
export interface StoreReadOptions {
  /** Aborts when the registry no longer waits for this read: after `storeTimeoutMs`. */
  signal?: AbortSignal | undefined;
}

/** Receives hints from a store. Hints may be lost, repeated or late, so they never replace a read. */
export interface StoreListener {
  /** These connections may have changed. */
  changed(ids: readonly string[]): void;
  /** Hints may have been lost: called on **every** subscription and re-subscription. */
  gap(): void;
}

/**
 * Reads the rows of connections. Only `get` is required. The other members make the same guarantees cheaper.
 *
 * Every read returns *committed* data *from the primary*. A lagging replica breaks freshness, and nothing can notice it.
 * Ids are 1 to 1 024 characters long and hold no NUL. Most come from URLs, so most unknown ones are junk.
 *
 * A row may fail by itself. `get` then rejects with a {@link ConnectionError}, and `getMany` puts that error into the
 * map in the record's place: `INVALID_RECORD` for a row that is not a valid record, `STORE_UNAVAILABLE` for one that could
 * not be read this time. When a read rejects, all its ids count as unavailable.
 */
export interface ConnectionStore<out R extends ConnectionRecord = ConnectionRecord> {
  /** The row, or `undefined` when there is none. */
  get(id: string, options?: StoreReadOptions): Promise<R | undefined>;
  /** Many rows in one query. An id that is missing from the map does not exist. */
  getMany?(ids: readonly string[], options?: StoreReadOptions): Promise<ReadonlyMap<string, R>>;
  /** Many versions in one query. An id that is missing from the map does not exist. */
  getVersions?(ids: readonly string[], options?: StoreReadOptions): Promise<ReadonlyMap<string, Version>>;
  /** Subscribes to hints until the returned object is disposed of. The store re-subscribes by itself. */
  watch?(listener: StoreListener): Promise<AsyncDisposable>;
}
