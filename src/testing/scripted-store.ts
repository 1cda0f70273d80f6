import { systemClock, type Clock } from '../clock.js';
import type { ConnectionRecord, ConnectionStatus, Version } from '../contracts/record.js';
import type { ConnectionStore, StoreListener, StoreReadOptions } from '../contracts/store.js';
import { behave, type Behaviour } from './behaviour.js';

type Fields<D> = D extends unknown ? Omit<D, 'id' | 'status' | 'version'> : never;
type Stored<D> = Fields<D> & ConnectionRecord;
type Draft<D> = Fields<D> & { readonly id: string; readonly status?: ConnectionStatus };

/** How one read behaves. */
export interface ReadBehaviour extends Behaviour {
  /**
   * When the rows are read. `'sent'`: at once, so that a slow answer is an old one, as from a fast database over a slow
   * network. `'answered'`: when the answer is sent. Default `'sent'`.
   */
  readonly sees?: 'sent' | 'answered';
}

/** One read that came in. */
export interface ScriptedRead {
  readonly kind: 'get' | 'getMany' | 'getVersions';
  readonly ids: readonly string[];
  /** The number of the read, from 0. */
  readonly index: number;
  /** When it came in, on the clock's monotonic time. */
  readonly at: number;
  readonly signal: AbortSignal | undefined;
}

/** Options of a {@link ScriptedStore}. */
export interface ScriptedStoreOptions<D> {
  readonly records?: readonly D[];
  /** Default: the system's. Pass the `ManualClock` that the registry has. */
  readonly clock?: Clock;
  /** Members to leave out, to test with a store that has less. */
  readonly without?: readonly ('getMany' | 'getVersions' | 'watch')[];
}

/**
 * A store in memory that is slow, fails, hangs or answers out of order, as the test says. It records every read.
 * Deterministic on a manual clock.
 *
 * @example
 * const store = new ScriptedStore({ clock, records: [{ id: 'acme' }] });
 * store.behave(({ index }) => (index === 0 ? { delayMs: 500 } : {})); // the first answer comes after the second
 */
export class ScriptedStore<D extends { readonly id: string; readonly status?: ConnectionStatus }>
implements ConnectionStore<Stored<D>> {
  /** Every read so far, in the order they came in. */
  readonly reads: ScriptedRead[] = [];
  /** Whether a write tells the listeners. Set it to false to lose hints. */
  hints = true;
  readonly getMany?: (ids: readonly string[], options?: StoreReadOptions) => Promise<ReadonlyMap<string, Stored<D>>>;
  readonly getVersions?: (ids: readonly string[], options?: StoreReadOptions) => Promise<ReadonlyMap<string, Version>>;
  readonly watch?: (listener: StoreListener) => Promise<AsyncDisposable>;
  readonly #rows = new Map<string, Stored<D>>();
  #version = 0;
  readonly #clock: Clock;
  readonly #listeners = new Set<StoreListener>();
  #behaviour: (read: ScriptedRead) => ReadBehaviour | undefined = () => undefined;

  constructor({ records = [], clock = systemClock, without = [] }: ScriptedStoreOptions<D> = {}) {
    this.#clock = clock;
    for (const record of records) this.#write(record as never);
    if (!without.includes('getMany'))
      this.getMany = (ids, options) => this.#read('getMany', ids, options, () => this.#found(ids));
    if (!without.includes('getVersions')) {
      this.getVersions = (ids, options) =>
        this.#read('getVersions', ids, options, () => new Map([...this.#found(ids)].map(([id, { version }]) => [id, version])));
    }
    if (!without.includes('watch')) {
      this.watch = async (listener) => {
        this.#listeners.add(listener);
        listener.gap();
        return { [Symbol.asyncDispose]: async () => void this.#listeners.delete(listener) };
      };
    }
  }

  /**
   * Sets how reads behave from now on: one behaviour for all, or a function that returns it for each. Reads that have begun
   * do not change.
   */
  behave(behaviour: ReadBehaviour | ((read: ScriptedRead) => ReadBehaviour | undefined)): void {
    this.#behaviour = typeof behaviour === 'function' ? behaviour : () => behaviour;
  }

  get(id: string, options?: StoreReadOptions): Promise<Stored<D> | undefined> {
    return this.#read('get', [id], options, () => this.#rows.get(id));
  }

  /** Writes a row and gives it its next version, before this returns. */
  async put(record: Draft<D>): Promise<Stored<D>> {
    const written = this.#write(record);
    this.#tell(record.id);
    return written;
  }

  /** Deletes a row, before this returns. */
  async delete(id: string): Promise<void> {
    this.#rows.delete(id);
    this.#tell(id);
  }

  async list(): Promise<readonly Stored<D>[]> {
    return [...this.#rows.values()];
  }

  /** Replaces a row by any value, as a store that breaks its contract may do. */
  corrupt(id: string, row: unknown): void {
    this.#rows.set(id, row as Stored<D>);
  }

  /** How many listeners there are. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Tells the listeners that these may have changed. */
  changed(...ids: string[]): void {
    for (const listener of this.#listeners) listener.changed(ids);
  }

  /** Tells the listeners that hints may have been lost. */
  gap(): void {
    for (const listener of this.#listeners) listener.gap();
  }

  #write(record: Draft<D>): Stored<D> {
    this.#version += 1;
    const row = Object.freeze({ ...record, status: record.status ?? 'active', version: String(this.#version) }) as Stored<D>;
    this.#rows.set(record.id, row);
    return row;
  }

  #found(ids: readonly string[]): Map<string, Stored<D>> {
    const found = new Map<string, Stored<D>>();
    for (const id of ids) {
      const row = this.#rows.get(id);
      if (row !== undefined) found.set(id, row);
    }
    return found;
  }

  #tell(id: string): void {
    if (this.hints) this.changed(id);
  }

  #read<T>(kind: ScriptedRead['kind'], ids: readonly string[], options: StoreReadOptions | undefined, look: () => T): Promise<T> {
    const read: ScriptedRead = {
      kind,
      ids: [...ids],
      index: this.reads.length,
      at: this.#clock.monotonic(),
      signal: options?.signal,
    };
    this.reads.push(read);
    const behaviour = this.#behaviour(read);
    if (behaviour?.sees === 'answered') return behave(behaviour, this.#clock, look);
    const seen = look();
    return behave(behaviour, this.#clock, () => seen);
  }
}
