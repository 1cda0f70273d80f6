import { ConnectionError, type ConnectionRecord, type ConnectionStatus, type ConnectionStore, type StoreListener } from 'hydrant';
import { ScriptedStore, type StoreCapabilities, type StoreUnderTest } from 'hydrant/testing';

interface Row { readonly id: string; readonly status?: ConnectionStatus; readonly config: string }

export const EVERYTHING: StoreCapabilities = {
  getMany: true,
  getVersions: true,
  watch: true,
  invalidRows: true,
  bookkeeping: true,
  touch: true,
  counter: true,
  interruption: true,
};

/** Lets so many turns of the event loop pass. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => { setImmediate(resolve); });
}

/**
 * A store that is right and has everything, and is as slow and strict as the contract allows: writes take a turn, hints
 * are heard from the gap on, and rows have constraints. A test changes a member to make one that is wrong.
 */
export class CompleteStore implements StoreUnderTest {
  readonly store: ConnectionStore;
  /** How many turns it is from each subscription until hints are heard. */
  readonly delays: number[];
  readonly #rows = new ScriptedStore<Row>();
  readonly #invalid = new Set<string>();
  /** The listeners, and the functions that re-subscribe them. */
  readonly #listeners = new Map<StoreListener, () => Promise<void>>();

  constructor(delays: readonly number[] = [1]) {
    this.delays = [...delays];
    this.store = {
      get: (id) => this.get(id),
      getMany: (ids) => this.getMany(ids),
      getVersions: (ids) => this.getVersions(ids),
      watch: (listener) => this.watch(listener),
    };
  }

  async get(id: string): Promise<ConnectionRecord | undefined> {
    if (this.#invalid.has(id)) throw invalid(id);
    return this.#rows.get(id);
  }

  async getMany(ids: readonly string[]): Promise<ReadonlyMap<string, ConnectionRecord>> {
    const found = new Map<string, any>(await this.#rows.getMany?.(ids));
    for (const id of ids) if (this.#invalid.has(id)) found.set(id, invalid(id));
    return found;
  }

  async getVersions(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return await this.#rows.getVersions?.(ids) as ReadonlyMap<string, string>;
  }

  async watch(listener: StoreListener): Promise<AsyncDisposable> {
    let isOver = false;
    const subscribe = async (): Promise<void> => {
      await turns(this.delays.length > 1 ? this.delays.shift() as number : this.delays[0] as number);
      if (isOver) return;
      this.#listeners.set(listener, subscribe);
      listener.gap();
    };
    void subscribe();
    return { [Symbol.asyncDispose]: async () => { isOver = true; this.#listeners.delete(listener); } };
  }

  async write(id: string, { status, config }: { readonly status: ConnectionStatus; readonly config: string }): Promise<void> {
    if (!['active', 'stopped'].includes(status) || typeof config !== 'string' || config === '')
      throw new TypeError(`the suite wrote ${status} and '${config}'`);
    await turns(1);
    await this.#rows.put({ id, status, config });
    this.#invalid.delete(id);
    this.tell(id);
  }

  async remove(id: string): Promise<void> {
    await turns(1);
    await this.#rows.delete(id);
    this.#invalid.delete(id);
    this.tell(id);
  }

  /** Announces a change to all subscribers, one turn later. */
  tell(id: string): void {
    const listeners = [...this.#listeners.keys()];
    setImmediate(() => { for (const listener of listeners) if (this.#listeners.has(listener)) listener.changed([id]); });
  }

  configOf(record: ConnectionRecord): string {
    return (record as ConnectionRecord & { config: string }).config;
  }

  async writeInvalid(id: string): Promise<void> {
    await this.#rows.put({ config: 'x', ...await this.#rows.get(id), id });
    this.#invalid.add(id);
  }

  async bookkeep(id: string): Promise<void> {
    if (this.#invalid.has(id)) throw invalid(id);
  }

  async touch(id: string): Promise<void> {
    const row = await this.#rows.get(id);
    if (row !== undefined) await this.#rows.put(row);
  }

  /** The subscriptions that there are are made anew. */
  async interrupt(): Promise<void> {
    const subscriptions = [...this.#listeners.values()];
    this.#listeners.clear();
    for (const subscribe of subscriptions) void subscribe();
  }
}

const invalid = (connectionId: string): ConnectionError => new ConnectionError('INVALID_RECORD', 'no record', { connectionId });
