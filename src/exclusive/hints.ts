import type { ConnectionRecord } from '../contracts/record.js';
import type { RunnerEnvironment } from './environment.js';

/** How long the end of a subscription is waited for. The built-in stores take no longer, and `stop` must not hang. */
const END_MS = 5_000;

/** A subscription to hints. Opening it is retried every `retryMs` until it succeeds. The store then keeps it up. */
export class Hints<R extends ConnectionRecord, I> {
  readonly #environment: RunnerEnvironment<R, I>;
  readonly #retryMs: number;
  readonly #subscribe: () => Promise<AsyncDisposable>;
  readonly #failed: (error: unknown) => void;
  #opening: Promise<AsyncDisposable | undefined>;
  #stopped = false;
  #cancel: (() => void) | undefined;

  constructor(
    environment: RunnerEnvironment<R, I>,
    retryMs: number,
    subscribe: () => Promise<AsyncDisposable>,
    failed: (error: unknown) => void,
  ) {
    this.#environment = environment;
    this.#retryMs = retryMs;
    this.#subscribe = subscribe;
    this.#failed = failed;
    this.#opening = this.#open();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    const ended = this.#opening.then((subscription) => subscription?.[Symbol.asyncDispose]());
    try {
      await this.#environment.request<unknown>(END_MS, () => ended);
    } catch (error) {
      // Nobody waits for the end of a subscription when the runner's own time to stop is over.
      if (!this.#environment.abandoned) this.#failed(error);
    }
  }

  async #open(): Promise<AsyncDisposable | undefined> {
    const { clock, call } = this.#environment;
    try {
      return await call(this.#subscribe);
    } catch (error) {
      if (this.#stopped) return undefined;
      this.#failed(error);
      this.#cancel = clock.setTimeout(() => { this.#opening = this.#open(); }, this.#retryMs, { ref: true });
      return undefined;
    }
  }
}
