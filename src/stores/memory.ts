import type { ConnectionRecord, ConnectionStatus } from '../contracts/record.js';
import type { ConnectionStore } from '../contracts/store.js';
import { ConnectionError } from '../errors.js';
import type { Fields } from './drafts.js';

/**
 * Keeps rows in this process's memory, for tests and a first try. Every `put` gives the row a new version. It keeps the whole
 * contract of a store, except that no other process sees its rows.
 *
 * @example
 * const store = new MemoryStore([{ id: 'acme', token: 'xoxb-1' }]);
 * await store.put({ id: 'acme', token: 'xoxb-2' }); // the next use hydrates anew
 */
export class MemoryStore<D extends { readonly id: string; readonly status?: ConnectionStatus }>
implements ConnectionStore<Fields<D> & ConnectionRecord> {
  readonly #rows = new Map<string, Fields<D> & ConnectionRecord>();
  #version = 0;

  /** @param records - the first rows; the default `status` is `'active'` */
  constructor(records: readonly D[] = []) {
    for (const record of records) this.#write(record as never);
  }

  /** The row as it is now, frozen. */
  async get(id: string): Promise<(Fields<D> & ConnectionRecord) | undefined> {
    return this.#rows.get(id);
  }

  /**
   * Writes a whole row and gives it its next version.
   *
   * @throws ConnectionError `INVALID_CONNECTION_ID` if `id` is not a string, or empty
   */
  async put(record: Fields<D> & { id: string; status?: ConnectionStatus }): Promise<Fields<D> & ConnectionRecord> {
    return this.#write(record);
  }

  /** Gives a row a new version: its next use hydrates anew. Resolves to whether there is such a row. */
  async touch(id: string): Promise<boolean> {
    const row = this.#rows.get(id);
    if (row !== undefined) this.#write(row);
    return row !== undefined;
  }

  /** Deletes a row. If it is created again, it gets a new version. */
  async delete(id: string): Promise<void> {
    this.#rows.delete(id);
  }

  /** All rows. */
  async list(): Promise<readonly (Fields<D> & ConnectionRecord)[]> {
    return [...this.#rows.values()];
  }

  #write(record: Fields<D> & { id: string; status?: ConnectionStatus }): Fields<D> & ConnectionRecord {
    if (typeof record.id !== 'string' || record.id === '') {
      throw new ConnectionError(
        'INVALID_CONNECTION_ID',
        `MemoryStore: expected a record with a non-empty string as its id, got ${typeof record.id}`,
      );
    }
    this.#version += 1;
    const row = Object.freeze({ ...record, status: record.status ?? 'active', version: String(this.#version) });
    this.#rows.set(record.id, row as Fields<D> & ConnectionRecord);
    return row as Fields<D> & ConnectionRecord;
  }
}
