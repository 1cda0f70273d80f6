import type { ConnectionRecord } from '../contracts/record.js';
import { Subscription } from '../subscription.js';
import type { RunnerEnvironment } from './environment.js';

/** How long `stop` waits for a subscription to end. The built-in stores take no longer, and `stop` must not hang. */
const END_MS = 5_000;

/** A runner's subscription to hints. Opening it is retried every `retryMs` until it succeeds. */
export class Hints<R extends ConnectionRecord, I> {
  readonly #environment: RunnerEnvironment<R, I>;
  readonly #failed: (error: unknown) => void;
  readonly #subscription: Subscription;

  constructor(
    environment: RunnerEnvironment<R, I>,
    retryMs: number,
    subscribe: () => Promise<AsyncDisposable>,
    failed: (error: unknown) => void,
  ) {
    const { clock, inOwnContext } = environment;
    this.#environment = environment;
    this.#failed = failed;
    const open = (): Promise<AsyncDisposable> => inOwnContext(subscribe);
    this.#subscription = new Subscription({ clock, open, failed, delayMs: () => retryMs, ref: true });
  }

  async stop(): Promise<void> {
    const ended = this.#subscription.end().then((subscription) => subscription?.[Symbol.asyncDispose]());
    try {
      await this.#environment.request<unknown>(END_MS, () => ended);
    } catch (error) {
      // A runner that is out of time to stop does not wait for the subscription to end.
      if (!this.#environment.hasGivenUp) this.#failed(error);
    }
  }
}
