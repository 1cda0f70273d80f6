import { backoff, check, duration, shape, withDefault } from '../checks.js';
import { jitteredMs } from '../delays.js';
import type { Clock } from '../clock.js';
import type { StoreListener } from '../contracts/store.js';

/** One connection that listens for hints. It calls `lost` when the connection is of no more use. */
export interface ListeningAttempt {
  /** Connects and subscribes. Resolves once hints arrive. */
  open(): Promise<unknown>;
  /** Resolves when hints are known to still arrive. */
  check(): Promise<unknown>;
  /** Ends the connection. */
  end(): Promise<unknown>;
}

/** Settings that keep the connection for hints alive. Durations are milliseconds. */
export interface WatchTuning {
  /** The interval of checks that hints still arrive and that none was missed. Default 15 000. */
  readonly pingIntervalMs?: number;
  /** The longest time for connecting, subscribing and each check. Default 5 000. */
  readonly timeoutMs?: number;
  /** The delay between attempts. It doubles from `initialMs` to `maxMs`, with jitter. Default 100 and 30 000. */
  readonly backoff?: { readonly initialMs: number; readonly maxMs: number };
}

/** The same with every default filled in. */
export type SubscribingTuning = Required<WatchTuning>;

/**
 * Checks the option `watch`, and fills in defaults.
 *
 * @param owner - the class that has the option
 * @param expected - the kind of value that the option takes
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export function watchTuning(owner: string, watch: WatchTuning = {}, expected = 'an object'): SubscribingTuning {
  const tuning = shape(expected, {
    pingIntervalMs: withDefault(duration(1), 15_000),
    timeoutMs: withDefault(duration(1), 5_000),
    backoff: withDefault(backoff(1), () => ({ initialMs: 100, maxMs: 30_000 })),
  });
  return check(owner, tuning, watch, 'watch');
}

/** Everything that keeps a subscription up. */
export interface SubscribingOptions extends SubscribingTuning {
  readonly clock: Clock;
  readonly onError: ((error: unknown) => void) | undefined;
  /** Begins an attempt. Calls of `listener` count until the attempt is over. */
  attempt(listener: StoreListener, lost: (error: unknown) => void): ListeningAttempt;
}

/**
 * Keeps one subscription up until it is disposed of: opens it, checks it, and opens it again with back-off when it is
 * lost. Every opening is a gap, because earlier hints went unheard. Rejects when the first opening fails; then nothing
 * goes on.
 */
export function keepSubscribed(options: SubscribingOptions, listener: StoreListener): Promise<AsyncDisposable> {
  return new Promise((resolve, reject) => {
    const subscription: KeptSubscription = new KeptSubscription(options, listener, () => resolve(subscription), reject);
  });
}

class KeptSubscription implements AsyncDisposable {
  readonly #options: SubscribingOptions;
  readonly #listener: StoreListener;
  readonly #running: Promise<void>;
  #opened = false;
  #disposed = false;
  #failures = 0;
  /** Ends the wait under way, if any. */
  #interrupt: ((error: unknown) => void) | undefined;

  constructor(options: SubscribingOptions, listener: StoreListener, opened: () => void, refused: (error: unknown) => void) {
    this.#options = options;
    this.#listener = listener;
    this.#running = this.#run(opened, refused);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#interrupt?.(new Error('The subscription was disposed of'));
    await this.#running;
  }

  async #run(opened: () => void, refused: (error: unknown) => void): Promise<void> {
    while (!this.#disposed) {
      try {
        await this.#listen(opened);
      } catch (error) {
        if (!this.#opened) return refused(error);
        if (this.#disposed) return;
        this.#report(error);
      }
      this.#failures += 1;
      await this.#wait(undefined, jitteredMs(this.#options.backoff, this.#failures, 0.5)).catch(() => {});
    }
  }

  /** One attempt from its beginning to its end, which is always a failure. */
  async #listen(opened: () => void): Promise<never> {
    const { pingIntervalMs, timeoutMs } = this.#options;
    let over: { readonly error: unknown } | undefined;
    const throwIfOver = (): void => { if (over !== undefined) throw over.error; };
    const tell = (call: (listener: StoreListener) => void): void => {
      if (over !== undefined) return;
      // A driver calls this from its socket. An exception would end the process there.
      try {
        call(this.#listener);
      } catch (error) {
        this.#report(error);
      }
    };
    const attempt = this.#options.attempt({
      changed: (ids) => tell((listener) => listener.changed(ids)),
      gap: () => tell((listener) => listener.gap()),
    }, (error) => {
      if (over !== undefined) return;
      over = { error };
      this.#interrupt?.(error);
    });
    // Between two waits there is nothing to interrupt.
    const checked = async (work: Promise<unknown> | undefined, ms: number): Promise<void> => {
      throwIfOver();
      await this.#wait(work, ms);
      throwIfOver();
    };
    try {
      await checked(attempt.open(), timeoutMs);
      tell((listener) => listener.gap());
      this.#opened = true;
      opened();
      for (;;) {
        await checked(undefined, pingIntervalMs);
        await checked(attempt.check(), timeoutMs);
        // Only now: a connection that is lost as soon as it is there must not be opened again and again without delay.
        this.#failures = 0;
      }
    } finally {
      over ??= { error: undefined };
      const ended = attempt.end().catch(() => {});
      // `dispose` leaves nothing behind, but it does not wait for a connection that does not end.
      if (this.#disposed) await this.#wait(ended, timeoutMs).catch(() => {});
    }
  }

  /** Catches exceptions of the user's callback. */
  #report(error: unknown): void {
    try {
      this.#options.onError?.(error);
    } catch {
      // The user's callback for errors has thrown, so there is no place to report it.
    }
  }

  /** Waits for `work`, at most `ms`; without work, for `ms`. */
  #wait(work: Promise<unknown> | undefined, ms: number): Promise<void> {
    let cancel: (() => void) | undefined;
    return new Promise<void>((resolve, reject) => {
      this.#interrupt = reject;
      if (work === undefined) {
        cancel = this.#options.clock.setTimeout(resolve, ms, { ref: false });
      } else {
        cancel = this.#options.clock.setTimeout(() => reject(new Error(`No answer within ${ms} ms`)), ms, { ref: false });
        work.then(() => resolve(), reject);
      }
      if (this.#disposed && work === undefined) reject(new Error('The subscription was disposed of'));
    }).finally(() => {
      cancel?.();
      this.#interrupt = undefined;
    });
  }
}
