import type { Clock } from '../clock.js';
import type { Awaitable, ConnectionStatus, Version } from '../contracts/record.js';
import type { StoreListener } from '../contracts/store.js';
import { answeredWithin } from './answered.js';
import { Hints } from './hints.js';

/** A connection that is to have an owner. A row will do. */
export interface ListedConnection {
  readonly id: string;
  /** With it, an edit is noticed at the next listing; without it, when the registry hears of it. */
  readonly version?: Version | undefined;
  /** A stopped one is passed over. */
  readonly status?: ConnectionStatus | undefined;
}

/** After this long a listing counts as failed. */
const LIST_TIMEOUT_MS = 30_000;
/** As for a registry. */
const MAX_ID_LENGTH = 1_024;
/** Hints that come in a burst cause one listing. */
const HINT_SPACING_MS = 100;

export interface ListingHost {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly list: () => Awaitable<readonly (string | ListedConnection)[]>;
  readonly watch: ((listener: StoreListener) => Promise<AsyncDisposable>) | undefined;
  /** Whether ids alone will not do. */
  readonly versionsRequired: boolean;
  /** @param grown - whether there is something in it that the last one did not have */
  changed(grown: boolean): void;
  failed(error: unknown): void;
}

/** Which connections there are to own, from the last listing that succeeded. One listing is under way at a time. */
export class Listing {
  readonly #host: ListingHost;
  #versions: ReadonlyMap<string, string | undefined> | undefined;
  #ids: readonly string[] = [];
  #inFlight = false;
  #again = false;
  #stopped = false;
  #listedAt = 0;
  #cancel: (() => void) | undefined;
  #hints: Hints | undefined;

  constructor(host: ListingHost) {
    this.#host = host;
  }

  /** Whether there has been a listing. */
  get known(): boolean {
    return this.#versions !== undefined;
  }

  /** Sorted, so that all replicas see the same order. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  has(id: string): boolean {
    return this.#versions?.has(id) === true;
  }

  version(id: string): string | undefined {
    return this.#versions?.get(id);
  }

  start(): void {
    void this.#refresh();
    const hint = (): void => this.#soon(HINT_SPACING_MS);
    const { clock, intervalMs: retryMs, watch, failed } = this.#host;
    if (watch !== undefined) this.#hints = new Hints({ clock, retryMs, subscribe: () => watch({ changed: hint, gap: hint }), failed });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#hints?.stop();
  }

  /** Lists when the last listing is `spacingMs` old; a listing under way began before whatever is new. */
  #soon(spacingMs: number): void {
    if (this.#stopped) return;
    if (this.#inFlight) {
      this.#again = true;
      return;
    }
    this.#cancel?.();
    const wait = Math.max(0, this.#listedAt + spacingMs - this.#host.clock.monotonic());
    this.#cancel = this.#host.clock.setTimeout(() => void this.#refresh(), wait, { ref: true });
  }

  async #refresh(): Promise<void> {
    const { clock, list } = this.#host;
    this.#cancel?.();
    this.#inFlight = true;
    this.#listedAt = clock.monotonic();
    try {
      const listed = await answeredWithin(clock, LIST_TIMEOUT_MS, list);
      if (!this.#stopped) this.#take(listed);
    } catch (error) {
      if (!this.#stopped) this.#host.failed(error);
    }
    this.#inFlight = false;
    const spacingMs = this.#again ? HINT_SPACING_MS : this.#host.intervalMs;
    this.#again = false;
    this.#soon(spacingMs);
  }

  #take(listed: readonly (string | ListedConnection)[]): void {
    const versions = new Map<string, string | undefined>();
    let refused = 0;
    for (const entry of listed) {
      const { id, version, status } = typeof entry === 'object' && entry !== null ? entry : { id: entry, version: undefined, status: undefined };
      // One that a database refuses would make it refuse the whole batch.
      if (typeof id !== 'string' || id === '' || id.length > MAX_ID_LENGTH || /[\0\p{Surrogate}]/u.test(id)) {
        refused += 1;
        continue;
      }
      if (this.#host.versionsRequired && version === undefined) {
        throw new TypeError('list: expected objects with id and version, for without run nothing else tells of an edit');
      }
      if (status !== 'stopped') versions.set(id, version === undefined ? undefined : String(version));
    }
    if (refused > 0) this.#host.failed(new TypeError(`list: passed over ${refused} entries that are no ids: expected text of 1 to ${MAX_ID_LENGTH} characters, well-formed and without NUL`));
    const before = this.#versions;
    this.#versions = versions;
    this.#ids = [...versions.keys()].toSorted();
    this.#host.changed(before === undefined || this.#ids.some((id) => !before.has(id)));
  }
}
