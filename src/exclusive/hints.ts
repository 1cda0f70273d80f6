import type { Clock } from '../clock.js';
import { within } from '../within.js';

/** How long the end of a subscription is waited for: the built-in ones take no longer, and whoever stops is not to hang. */
const END_MS = 5_000;

export interface HintsHost {
  readonly clock: Clock;
  readonly retryMs: number;
  readonly subscribe: () => Promise<AsyncDisposable>;
  failed(error: unknown): void;
}

/** A subscription that may fail to be opened: then it is tried again. What keeps it up afterwards is the store's. */
export class Hints {
  readonly #host: HintsHost;
  #opening: Promise<AsyncDisposable | undefined>;
  #stopped = false;
  #cancel: (() => void) | undefined;

  constructor(host: HintsHost) {
    this.#host = host;
    this.#opening = this.#open();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    const { clock, failed } = this.#host;
    const ended = this.#opening.then((subscription) => subscription?.[Symbol.asyncDispose]());
    try {
      await within<unknown>(clock, END_MS, ended, () => undefined);
    } catch (error) {
      failed(error);
    }
  }

  async #open(): Promise<AsyncDisposable | undefined> {
    const { clock, retryMs, subscribe, failed } = this.#host;
    try {
      return await subscribe();
    } catch (error) {
      if (this.#stopped) return undefined;
      failed(error);
      this.#cancel = clock.setTimeout(() => { this.#opening = this.#open(); }, retryMs, { ref: true });
      return undefined;
    }
  }
}
