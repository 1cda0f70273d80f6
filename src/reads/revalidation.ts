import { jitteredMs } from '../delays.js';
import { onNextTurn } from '../clock.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { Subscription } from '../subscription.js';
import type { Reader } from './reader.js';
import type { UnknownIds } from './unknown-ids.js';
import { BackgroundWaiter } from './waiters.js';

/** Checked at a time: one query of versions. Between two chunks the event loop turns. */
const CHUNK = 1_000;
const RESUBSCRIBE = { initialMs: 1_000, maxMs: 60_000 };

/** Checks what lives against the store: at intervals, when a hint says so, and all of it when hints were lost. */
export class Revalidation<R extends ConnectionRecord> {
  readonly #env: Environment<R, any>;
  /** The slots that are live or may be soon. */
  readonly #index: ReadonlyMap<string, unknown>;
  readonly #reader: Reader<R>;
  readonly #unknown: UnknownIds;
  #cancelSweep: (() => void) | undefined;
  #subscription: Subscription | undefined;
  #sweeping = false;
  #again = false;
  #stopped = false;

  constructor(env: Environment<R, any>, index: ReadonlyMap<string, unknown>, reader: Reader<R>, unknown: UnknownIds) {
    this.#env = env;
    this.#index = index;
    this.#reader = reader;
    this.#unknown = unknown;
  }

  start(): void {
    this.#schedule();
    if (this.#env.options.store.watch !== undefined) this.#subscription = this.#subscribe();
  }

  /** Ends the sweeps and the subscription, also one that is still being opened. Its connection is then closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelSweep?.();
    try {
      const subscription = await this.#subscription?.end();
      await this.#env.inOwnContext(() => subscription?.[Symbol.asyncDispose]());
    } catch (error) {
      this.#env.emit('storeFailed', { error });
    }
  }

  #schedule(): void {
    const { clock, options: { sweepIntervalMs } } = this.#env;
    if (sweepIntervalMs === 0 || sweepIntervalMs === Infinity) return;
    this.#cancelSweep = clock.setTimeout(() => {
      this.#schedule();
      this.#sweep();
    }, sweepIntervalMs, { ref: false });
  }

  /** Checks everything that lives now. A sweep that is requested while one runs follows it, because that one may have passed. */
  #sweep(): void {
    if (this.#sweeping) {
      this.#again = true;
      return;
    }
    this.#sweeping = true;
    this.#chunk(this.#index.keys(), this.#index.size);
  }

  #chunk(ids: Iterator<string>, left: number): void {
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
      this.#reader.request(next.value, 'version', new BackgroundWaiter<R>((error) => {
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

  #subscribe(): Subscription {
    const { clock, options: { store } } = this.#env;
    const listener = {
      // Anyone may publish on a channel, and the store of an application may pass on what was sent. It calls from its socket.
      changed: (ids: readonly string[]) => (areTexts(ids) ? this.#changed(ids) : this.#gap()),
      gap: () => this.#gap(),
    };
    return new Subscription({
      clock,
      open: () => this.#env.inOwnContext(() => store.watch?.(listener)),
      failed: (error) => this.#env.emit('storeFailed', { error }),
      delayMs: (failures) => jitteredMs(RESUBSCRIBE, failures, 0.5),
      ref: false,
    });
  }

  #changed(ids: readonly string[]): void {
    if (this.#stopped) return;
    for (const id of ids) {
      this.#unknown.forget(id);
      const onWire = this.#reader.markDoubtful(id);
      if (onWire || this.#index.has(id)) this.#reader.request(id, 'version');
    }
  }

  #gap(): void {
    if (this.#stopped) return;
    this.#unknown.forgetAll();
    this.#reader.doubtAll();
    this.#sweep();
  }
}

const areTexts = (ids: unknown): boolean => Array.isArray(ids) && ids.every((id) => typeof id === 'string');
