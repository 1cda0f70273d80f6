import type { ConnectionError } from '../errors.js';
import type { Awaitable } from './record.js';

/**
 * Why an instance was disposed of.
 *
 * - `evicted`: there were more instances than `maxInstances`, and `eviction` chose this one
 * - `idle`: unused for `idleTimeoutMs`
 * - `replaced`: the row has a newer version
 * - `stopped`, `deleted`: the row says so
 * - `invalidated`: `registry.invalidate(id)`
 * - `retired`: the instance or one of its users reported that it is dead
 * - `unused`: all its callers had left before `create` settled
 * - `closing`: `registry.close()`
 */
export type DisposeReason =
  | 'evicted' | 'idle' | 'replaced' | 'stopped' | 'deleted' | 'invalidated' | 'retired' | 'unused' | 'closing';

/** The second argument of `create`. */
export interface HydrationContext<S = unknown> {
  /**
   * Aborts when all callers that waited for the instance have left by their own signals, when `hydrationTimeoutMs` has
   * passed, or when `close` ran out of time. Pass it on to the calls that you await.
   */
  readonly signal: AbortSignal;
  /**
   * Aborts as soon as no further use gets the instance, while its leases drain. The reason may be a newer version, a stop,
   * a delete, `retire`, `invalidate`, an eviction or `close`. Pass it to listeners of your own, such as a polling loop.
   * It may abort before `create` has returned, so check `superseded.aborted` too. Created on first access.
   */
  readonly superseded: AbortSignal;
  /** The result of the factory's `secrets` for this record. */
  readonly secrets: S;
  /**
   * The instance reports that it is dead (socket closed, token revoked). The next use hydrates anew. If it lived for less
   * than two minutes, this counts as a failed hydrate, and uses fail with `BACKING_OFF` until the back-off has passed.
   */
  retire(cause?: unknown): void;
  /** Registers a clean-up. Clean-ups run last first, after `dispose`, and also when `create` fails half-way. */
  onDispose(cleanUp: () => Awaitable<void>): void;
}

/** The second argument of `authenticate`. */
export interface RecordContext<R, S> {
  readonly record: R;
  readonly secrets: S;
  /** Aborts when hydrant no longer waits for the answer. */
  readonly signal: AbortSignal;
}

/** The third argument of `handleWebhook`. */
export interface WebhookContext<R, S = unknown> extends RecordContext<R, S> {
  /** The lease's signal. Aborts only when a drain deadline has passed, just before the instance is disposed of. */
  readonly signal: AbortSignal;
  /**
   * Keeps the instance leased until `work` has settled, after the response was sent. If `work` rejects, hydrant emits
   * `webhookFailed` and does not call `respondToFailure`.
   */
  waitUntil(work: Promise<unknown>): void;
}

/** The third argument of `respondToFailure`. */
export interface FailureContext<R> {
  /** `undefined` if the failure came before the row was known. */
  readonly record: R | undefined;
  /** True when `acknowledge.respond` has already answered the sender. */
  readonly acknowledged: boolean;
  /** Aborts when hydrant no longer waits for the answer. */
  readonly signal: AbortSignal;
}

/**
 * Makes live instances out of records. Its members are properties, so that the types refuse a factory for some of the
 * rows where all rows may come. A factory with `handleWebhook` must have `authenticate`.
 *
 * @typeParam R - the records it takes
 * @typeParam I - the instances it makes
 * @typeParam S - the result of `secrets`
 */
export type InstanceFactory<R, I, S = any> = {
  /**
   * Makes the instance of a record. Called at most once at a time per connection and version, in each process. A
   * ConnectionError with `retryable: false` is permanent: `create` is called again only for a new version of the row, or
   * after `invalidate`.
   */
  readonly create: (record: R, context: HydrationContext<S>) => Awaitable<I>;
  /**
   * Resolves the secrets that the row refers to. The result is kept per id and version, and dropped by `invalidate`. At
   * most 10 000 results are kept. A ConnectionError with `retryable: false` is permanent, as in `create`.
   */
  readonly secrets?: (record: R, context: { readonly signal: AbortSignal }) => Awaitable<S>;
  /** Tears the instance down. Called exactly once for every instance that `create` made. */
  readonly dispose?: (
    instance: I,
    context: { readonly record: R; readonly reason: DisposeReason; readonly cause?: unknown },
  ) => Awaitable<void>;
  /**
   * Answers the sender `afterMs` milliseconds after the delivery came, while the work goes on under its lease. `undefined`
   * keeps waiting.
   */
  readonly acknowledge?: {
    readonly afterMs: number;
    readonly respond: (request: Request, context: { readonly record: R }) => Awaitable<Response | undefined>;
  };
  /** Returns the response to a failure. `undefined` keeps the default response. */
  readonly respondToFailure?: (
    failure: ConnectionError,
    request: Request,
    context: FailureContext<R>,
  ) => Awaitable<Response | undefined>;
  /** Overrides the registry's `replacement` for this factory's connections. */
  readonly replacement?: 'overlap' | 'drain-first';
  /** How many of the registry's permits this factory may hold, so that one platform's outage does not take them all. */
  readonly maxConcurrentHydrations?: number;
} & ({
  /** Serves one webhook. */
  readonly handleWebhook: (instance: I, request: Request, context: WebhookContext<R, S>) => Awaitable<Response>;
  /**
   * Authenticates a webhook. A function runs *before* the instance exists, on the row and its secrets alone. With
   * `'in-handler'` the handler authenticates, so a forged request hydrates. A `Response` answers the request at once
   * (challenges).
   */
  readonly authenticate: 'in-handler' | ((request: Request, context: RecordContext<R, S>) => Awaitable<boolean | Response>);
} | {
  readonly handleWebhook?: undefined;
  readonly authenticate?: 'in-handler' | ((request: Request, context: RecordContext<R, S>) => Awaitable<boolean | Response>);
});
