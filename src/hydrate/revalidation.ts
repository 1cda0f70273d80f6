import { onNextTurn, type Clock } from '../clock.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { ConnectionStore } from '../contracts/store.js';
import type { FreshnessReader } from './freshness.js';
import { BackgroundWaiter } from './waiter.js';

/** What the background checks need to know of the registry they belong to. */
export interface RevalidationHost<R extends ConnectionRecord> {
  readonly clock: Clock;
  readonly store: ConnectionStore<ConnectionRecord>;
  readonly reader: FreshnessReader<R>;
  readonly sweepIntervalMs: number;
  /** The connections that are live or hydrating. */
  readonly index: ReadonlyMap<string, unknown>;
  /** A hint: what was learnt of this id before may be out of date. */
  doubt(id: string): void;
  /** Hints may have been lost. */
  doubtAll(): void;
  failed(error: unknown): void;
}

/** Checked at a time: one query of versions. Between two chunks the event loop turns. */
const CHUNK = 1_000;
const RESUBSCRIBE_MS = { initial: 1_000, max: 60_000 };

/** Checks what lives against the store: at intervals, when a hint says so, and all of it when hints were lost. */
export class Revalidation<R extends ConnectionRecord> {
  readonly #host: RevalidationHost<R>;
  #cancelSweep: (() => void) | undefined;
  #cancelResubscribe: (() => void) | undefined;
  /** Settles with the subscription, when there is one to end. */
  #subscribing: Promise<AsyncDisposable | undefined> = Promise.resolve(undefined);
  #sweeping = false;
  #again = false;
  #stopped = false;

  constructor(host: RevalidationHost<R>) {
    this.#host = host;
  }

  start(): void {
    this.#schedule();
    if (this.#host.store.watch !== undefined) this.#subscribing = this.#subscribe(RESUBSCRIBE_MS.initial);
  }

  /** Ends the sweeps and the subscription, one that is still being made included: its connection is closed after this. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelSweep?.();
    this.#cancelResubscribe?.();
    try {
      await (await this.#subscribing)?.[Symbol.asyncDispose]();
    } catch (error) {
      this.#host.failed(error);
    }
  }

  #schedule(): void {
    const { clock, sweepIntervalMs } = this.#host;
    if (sweepIntervalMs === 0 || sweepIntervalMs === Infinity) return;
    this.#cancelSweep = clock.setTimeout(() => {
      this.#schedule();
      this.#sweep();
    }, sweepIntervalMs, { ref: false });
  }

  /** Everything that lives now. A sweep that is asked for while one runs follows it: that one may have passed by. */
  #sweep(): void {
    if (this.#sweeping) {
      this.#again = true;
      return;
    }
    this.#sweeping = true;
    this.#chunk(this.#host.index.keys(), this.#host.index.size);
  }

  #chunk(ids: Iterator<string>, left: number): void {
    const { reader } = this.#host;
    let asked = 0;
    let unanswered = 0;
    let open = 1;
    const answered = (): void => {
      open -= 1;
      if (open > 0) return;
      const rest = left - asked;
      // One row that cannot be read is no reason to leave the others unchecked.
      if (rest > 0 && unanswered < asked && !this.#stopped) onNextTurn(() => this.#chunk(ids, rest));
      else this.#swept();
    };
    while (asked < CHUNK && asked < left) {
      const next = ids.next();
      if (next.done === true) {
        left = asked;
        break;
      }
      asked += 1;
      open += 1;
      reader.request(next.value, 'version', new BackgroundWaiter<R>((error) => {
        if (error?.code === 'STORE_UNAVAILABLE') unanswered += 1;
        answered();
      }));
    }
    answered();
  }

  #swept(): void {
    this.#sweeping = false;
    if (!this.#again || this.#stopped) return;
    this.#again = false;
    this.#sweep();
  }

  async #subscribe(retryMs: number): Promise<AsyncDisposable | undefined> {
    const { store, clock } = this.#host;
    try {
      return await store.watch?.({
        changed: (ids) => this.#changed(ids),
        gap: () => this.#gap(),
      });
    } catch (error) {
      if (this.#stopped) return undefined;
      this.#host.failed(error);
      const delayMs = retryMs * (0.5 + Math.random() / 2);
      this.#cancelResubscribe = clock.setTimeout(() => {
        this.#subscribing = this.#subscribe(Math.min(2 * retryMs, RESUBSCRIBE_MS.max));
      }, delayMs, { ref: false });
      return undefined;
    }
  }

  #changed(ids: readonly string[]): void {
    if (this.#stopped) return;
    for (const id of ids) {
      this.#host.doubt(id);
      const onWire = this.#host.reader.markDoubtful(id);
      if (onWire || this.#host.index.has(id)) this.#host.reader.request(id, 'version');
    }
  }

  #gap(): void {
    if (this.#stopped) return;
    this.#host.doubtAll();
    this.#host.reader.doubtAll();
    this.#sweep();
  }
}
