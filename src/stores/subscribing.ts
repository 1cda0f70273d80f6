import type { Clock } from '../clock.js';
import type { StoreListener } from '../contracts/store.js';
import type { ConnectionError } from '../errors.js';

/** One connection's life as a listener. It says once through `lost` when it is of no more use. */
export interface ListeningAttempt {
  /** Connects and subscribes; resolves once hints arrive. */
  open(): Promise<unknown>;
  /** Resolves when hints are known to still arrive. */
  check(): Promise<unknown>;
  /** Lets go of the connection. */
  end(): Promise<unknown>;
}

/** How a subscription is kept up. Milliseconds. */
export interface SubscribingTuning {
  readonly pingIntervalMs: number;
  readonly timeoutMs: number;
  readonly backoff: { readonly initialMs: number; readonly maxMs: number };
}

const MAX_MS = 2 ** 31 - 1;

/**
 * Checks how a subscription is to be kept up, and fills in what is left out.
 *
 * @param invalid - makes the error that says which option is wrong, what was expected and what came
 * @param expected - of the whole
 */
export function tuningOf(watch: Partial<SubscribingTuning>, invalid: (option: string, expected: string, got: unknown) => ConnectionError<'INVALID_OPTIONS'>, expected = 'an object'): SubscribingTuning {
  if (typeof watch !== 'object' || watch === null) throw invalid('watch', expected, watch);
  const { pingIntervalMs = 15_000, timeoutMs = 5_000, backoff = { initialMs: 100, maxMs: 30_000 } } = watch;
  if (typeof backoff !== 'object' || backoff === null) throw invalid('watch.backoff', 'an object', backoff);
  for (const [option, ms] of Object.entries({ pingIntervalMs, timeoutMs, 'backoff.initialMs': backoff.initialMs, 'backoff.maxMs': backoff.maxMs })) {
    if (typeof ms !== 'number' || !(ms > 0 && ms <= MAX_MS)) throw invalid(`watch.${option}`, `milliseconds from 1 to ${MAX_MS}`, ms);
  }
  return { pingIntervalMs, timeoutMs, backoff };
}

/** What a subscription is kept up with. */
export interface SubscribingOptions extends SubscribingTuning {
  readonly clock: Clock;
  readonly onError: ((error: unknown) => void) | undefined;
  /** Begins an attempt. What it tells `listener` counts until the attempt is over. */
  attempt(listener: StoreListener, lost: (error: unknown) => void): ListeningAttempt;
}

/**
 * Keeps one subscription up until it is disposed of: opened, checked, and opened again with back-off when lost. Every
 * opening is a gap, for what was said before it went unheard. Rejects when it could not be opened a first time: then
 * whoever asked knows, and nothing goes on behind them.
 */
export function keepSubscribed(options: SubscribingOptions, listener: StoreListener): Promise<AsyncDisposable> {
  return new Promise((resolve, reject) => {
    const subscription: Subscription = new Subscription(options, listener, () => resolve(subscription), reject);
  });
}

class Subscription implements AsyncDisposable {
  readonly #options: SubscribingOptions;
  readonly #listener: StoreListener;
  readonly #running: Promise<void>;
  #opened = false;
  #disposed = false;
  #failures = 0;
  /** Ends the wait that is under way, if any. */
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
    const { backoff, onError } = this.#options;
    while (!this.#disposed) {
      try {
        await this.#listen(opened);
      } catch (error) {
        if (!this.#opened) return refused(error);
        if (this.#disposed) return;
        onError?.(error);
      }
      const most = Math.min(backoff.maxMs, backoff.initialMs * 2 ** this.#failures);
      this.#failures += 1;
      await this.#wait(undefined, most * (0.5 + Math.random() / 2)).catch(() => {});
    }
  }

  /** One attempt from its beginning to its end, which is always a failure. */
  async #listen(opened: () => void): Promise<never> {
    const { pingIntervalMs, timeoutMs } = this.#options;
    let over: { readonly error: unknown } | undefined;
    const throwIfOver = (): void => { if (over !== undefined) throw over.error; };
    const attempt = this.#options.attempt({
      changed: (ids) => { if (over === undefined) this.#listener.changed(ids); },
      gap: () => { if (over === undefined) this.#listener.gap(); },
    }, (error) => {
      if (over !== undefined) return;
      over = { error };
      this.#interrupt?.(error);
    });
    // Between two waits nothing is there to be interrupted.
    const checked = async (work: Promise<unknown> | undefined, ms: number): Promise<void> => {
      throwIfOver();
      await this.#wait(work, ms);
      throwIfOver();
    };
    try {
      await checked(attempt.open(), timeoutMs);
      this.#listener.gap();
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
      // Whoever disposes wants to know that nothing is left; a connection that does not end is not waited for.
      if (this.#disposed) await this.#wait(ended, timeoutMs).catch(() => {});
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
