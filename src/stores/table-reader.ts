import type { ConnectionStatus, Version } from '../contracts/record.js';
import type { StoreReadOptions } from '../contracts/store.js';
import { ConnectionError, isConnectionError } from '../errors.js';
import type { TableRecord, TableStoreOptions } from './table-options.js';
import { whenAborted } from '../when-aborted.js';
import { canonicalRow, NotARecord, versioning } from './table-version.js';

/** Ids read by themselves at a time, after a read of several failed. */
const MAX_SINGLE_READS = 8;

/** A row that is invalid or could not be read is replaced by an error. */
type Found<T> = Map<string, TableRecord<T> | ConnectionError>;

/** Reads rows in batches and makes records of them. */
export class TableReader<T extends object> {
  readonly #options: TableStoreOptions<T>;
  readonly #ignored: ReadonlySet<string>;
  readonly #versionOf: (text: string) => Promise<string>;
  /** Failed batches are taken apart one after another, so a failing database gets few extra reads at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: TableStoreOptions<T>) {
    this.#options = options;
    this.#ignored = new Set<string>(options.ignore);
    this.#versionOf = versioning(options.versionKey);
  }

  async getMany(ids: readonly string[], options: StoreReadOptions = {}): Promise<Found<T>> {
    const failed: Found<T> = new Map();
    const possible = [...new Set(ids)].filter((id) => isText(id) && this.#canExist(id, failed));
    const found = await this.#readPossible(possible, options);
    for (const [id, error] of failed) found.set(id, error);
    return found;
  }

  /** Junk is what `validId` is for, so one that throws at it must not fail the other ids. */
  #canExist(id: string, failed: Found<T>): boolean {
    try {
      return this.#options.validId?.(id) ?? true;
    } catch (cause) {
      failed.set(id, unreadable(id, cause));
      return false;
    }
  }

  async #readPossible(ids: readonly string[], options: StoreReadOptions): Promise<Found<T>> {
    const [first, second] = ids;
    if (first === undefined) return new Map();
    if (second === undefined) return this.#readOne(first, options);
    try {
      return await this.#read(ids, options);
    } catch (error) {
      const found = this.#turn.then(() => this.#readSingly(ids, options, error));
      this.#turn = settledOrAborted(found, options.signal);
      return found;
    }
  }

  async #read(ids: readonly string[], options: StoreReadOptions): Promise<Found<T>> {
    options.signal?.throwIfAborted();
    const rows = await this.#options.read(ids, { get signal() { return options.signal ?? new AbortController().signal; } });
    const rowsOf = this.#byId(ids, rows);
    // Every row is looked at before anything else is awaited, because its owner may edit the object in place.
    const records = [...rowsOf].map(async ([id, same]) => [id, await this.#recordOf(id, same)] as const);
    return new Map(await Promise.all(records));
  }

  /** `read` itself may say that a row is invalid. */
  async #readOne(id: string, options: StoreReadOptions): Promise<Found<T>> {
    try {
      return await this.#read([id], options);
    } catch (error) {
      if (isConnectionError(error, 'INVALID_RECORD')) return new Map([[id, error]]);
      throw error;
    }
  }

  #byId(ids: readonly string[], rows: unknown): Map<string, T[]> {
    if (!Array.isArray(rows)) throw new TypeError(`tableStore: expected read to resolve an array of rows, got ${typeof rows}`);
    const asked = new Set(ids);
    const byId = new Map<string, T[]>();
    for (const row of rows as readonly T[]) {
      const id: unknown = this.#options.id === undefined ? (row as { id?: unknown }).id : this.#options.id(row);
      if (!['string', 'number', 'bigint'].includes(typeof id)) {
        throw new TypeError(`tableStore: expected every row to have an id, got ${typeof id}: see the option id`);
      }
      // A collation may find other ids than those that were asked for.
      if (!asked.has(String(id))) continue;
      const same = byId.get(String(id));
      if (same === undefined) byId.set(String(id), [row]);
      else same.push(row);
    }
    return byId;
  }

  async #recordOf(id: string, [row, another]: readonly T[]): Promise<TableRecord<T> | ConnectionError> {
    try {
      if (another !== undefined) throw new NotARecord('was returned more than once by read');
      const status = this.#statusOf(row as T);
      const record = { ...row as T, id, status };
      const version = this.#options.version === undefined
        ? await this.#versionOf(canonicalRow(row as T, status, this.#ignored))
        : checkedVersion(this.#options.version(row as T), status);
      return { ...record, version } as object as TableRecord<T>;
    } catch (cause) {
      // Only our own words: other errors may quote the row.
      const why = cause instanceof NotARecord ? cause.message : 'could not be read';
      return new ConnectionError('INVALID_RECORD', `The row of connection '${id}' ${why}`, { connectionId: id, cause });
    }
  }

  #statusOf(row: T): ConnectionStatus {
    const { status: statusOf } = this.#options;
    if (statusOf === undefined) return (row as { status?: unknown }).status === 'stopped' ? 'stopped' : 'active';
    const status: unknown = statusOf(row);
    if (status === 'active' || status === 'stopped') return status;
    throw new NotARecord(`has no status: expected the option status to return 'active' or 'stopped', got ${typeof status}`);
  }

  async #readSingly(ids: readonly string[], options: StoreReadOptions, batchError: unknown): Promise<Found<T>> {
    const found: Found<T> = new Map();
    let failures = 0;
    const waiting = ids.values();
    const readNext = async (): Promise<void> => {
      for (const id of waiting) {
        if (options.signal?.aborted === true) return;
        try {
          for (const [key, record] of await this.#readOne(id, options)) found.set(key, record);
        } catch (cause) {
          failures += 1;
          found.set(id, unreadable(id, cause));
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(MAX_SINGLE_READS, ids.length) }, readNext));
    options.signal?.throwIfAborted();
    if (failures === ids.length) throw batchError;
    return found;
  }
}

function unreadable(id: string, cause: unknown): ConnectionError {
  return new ConnectionError('STORE_UNAVAILABLE', `The row of connection '${id}' could not be read`, { connectionId: id, cause });
}

/** No database holds an id with NUL, and UTF-8 would make every lone surrogate the same id. */
function isText(id: string): boolean {
  return id !== '' && !/[\0\p{Surrogate}]/u.test(id);
}

function isVersion(value: unknown): value is Version {
  return typeof value === 'bigint' || (typeof value === 'string' && value !== '')
    || (typeof value === 'number' && !Number.isNaN(value));
}

/** A stopped row has a version of its own, even if its status depends on the time or on another table. */
function checkedVersion(version: unknown, status: ConnectionStatus): Version {
  if (!isVersion(version)) {
    const expected = 'expected the option version to return a string, number or bigint';
    throw new NotARecord(`has no version: ${expected}, got ${typeof version}`);
  }
  return status === 'active' ? version : `${String(version)} (stopped)`;
}

/** A hanging read must not delay later ones when no caller waits for it any more. */
function settledOrAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
  if (signal === undefined) return work.catch(() => {});
  return new Promise<void>((resolve) => {
    work.finally(whenAborted(signal, resolve)).then(() => resolve(), () => resolve());
  });
}
