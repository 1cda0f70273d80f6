import type { Clock } from './clock.js';
import type { Awaitable } from './contracts/record.js';

/** How to open a subscription. */
export interface SubscriptionOptions {
  readonly clock: Clock;
  /** May throw. Without a subscription (`undefined`) there is nothing to end. */
  open(): Awaitable<AsyncDisposable | undefined>;
  /** Called for each failed attempt, until the subscription is ended. */
  failed(error: unknown): void;
  /** Milliseconds until the next attempt, after this many failures. */
  delayMs(failures: number): number;
  /** Whether waiting for the next attempt keeps the process alive. */
  readonly ref: boolean;
}

/** A subscription to hints. It tries to open until it succeeds. After that the store keeps it up. */
export class Subscription {
  readonly #options: SubscriptionOptions;
  #opening: Promise<AsyncDisposable | undefined>;
  #failures = 0;
  #ended = false;
  #cancel: (() => void) | undefined;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#opening = this.#open();
  }

  /** Stops trying. Resolves with the subscription to end, after an attempt under way has settled. */
  end(): Promise<AsyncDisposable | undefined> {
    this.#ended = true;
    this.#cancel?.();
    return this.#opening;
  }

  async #open(): Promise<AsyncDisposable | undefined> {
    const { clock, open, failed, delayMs, ref } = this.#options;
    try {
      return await open();
    } catch (error) {
      if (this.#ended) return undefined;
      failed(error);
      this.#failures += 1;
      this.#cancel = clock.setTimeout(() => { this.#opening = this.#open(); }, delayMs(this.#failures), { ref });
      return undefined;
    }
  }
}
