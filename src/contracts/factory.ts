import type { ConnectionError } from '../errors.js';
import type { Awaitable } from './record.js';

/**
 * Why an instance was disposed of.
 *
 * - `evicted`: more instances than `maxInstances`, and this one was to go by `eviction`
 * - `idle`: unused for `idleTimeoutMs`
 * - `replaced`: the row has a newer version
 * - `stopped`, `deleted`: the row says so
 * - `invalidated`: `registry.invalidate(id)`
 * - `retired`: the instance or one of its users reported that it is dead
 * - `unused`: it came into being after everyone who wanted it had left
 * - `closing`: `registry.close()`
 */
export type DisposeReason =
  | 'evicted' | 'idle' | 'replaced' | 'stopped' | 'deleted' | 'invalidated' | 'retired' | 'unused' | 'closing';

/** What `create` is given besides the record. */
export interface HydrationContext<S = unknown> {
  /**
   * Aborts when nobody wants the instance any more (the last waiter left by its own signal), when
   * `hydrationTimeoutMs` has passed, or when `close` ran out of time. Pass it on to what you await.
   */
  readonly signal: AbortSignal;
  /**
   * Aborts as soon as no further use is to get the instance, while its leases drain: it was replaced, stopped, deleted,
   * retired, invalidated or evicted, or the registry closes. Pass it to listeners of your own, such as a polling loop.
   * Created on first access.
   */
  readonly superseded: AbortSignal;
  /** What the factory's `secrets` returned for this record. */
  readonly secrets: S;
  /**
   * The instance reports that it is dead (socket closed, token revoked): the next use hydrates anew. Unless it lived for
   * two minutes and more, this counts as a failed hydrate: until its back-off has passed, uses fail with `BACKING_OFF`.
   */
  retire(cause?: unknown): void;
  /** Registers a clean-up. Clean-ups run last first, after `dispose`, and also when `create` fails half-way. */
  onDispose(cleanUp: () => Awaitable<void>): void;
}

/** What `authenticate` is given besides the request. */
export interface RecordContext<R, S> {
  readonly record: R;
  readonly secrets: S;
  /** Aborts when the answer is no longer waited for. */
  readonly signal: AbortSignal;
}

/** What `handleWebhook` is given besides the instance and the request. */
export interface WebhookContext<R, S = unknown> extends RecordContext<R, S> {
  /** The lease's signal: aborts only when the instance is about to be disposed of under you. */
  readonly signal: AbortSignal;
  /**
   * Keeps the instance leased until `work` has settled, after the response was sent. When it fails, the event
   * `webhookFailed` tells; `respondToFailure` is not called.
   */
  waitUntil(work: Promise<unknown>): void;
}

/** What `respondToFailure` is given besides the failure and the request. */
export interface FailureContext<R> {
  /** `undefined` when the failure came before the row was known. */
  readonly record: R | undefined;
  /** True when `acknowledge.respond` has already answered the sender. */
  readonly acknowledged: boolean;
  /** Aborts when the answer is no longer waited for. */
  readonly signal: AbortSignal;
}

/**
 * Makes live instances out of records. Its members are properties, so that a factory for some of the rows is not
 * accepted where all of them may come. A factory with `handleWebhook` must have `authenticate`.
 *
 * @typeParam R - the records it takes
 * @typeParam I - the instances it makes
 * @typeParam S - what `secrets` resolves
 */
export type InstanceFactory<R, I, S = any> = {
  /**
   * Record → instance. Called at most once at a time per connection and version, in each process. A ConnectionError with
   * `retryable: false` fails for good: it is not called again until the row has a new version, or `invalidate` is called.
   */
  readonly create: (record: R, context: HydrationContext<S>) => Awaitable<I>;
  /**
   * Resolves the secrets that the row refers to. Kept per id and version, bounded; dropped by `invalidate`. Fails for
   * good as `create` does.
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
  /** Replaces the response to a failure. `undefined` leaves the default response. */
  readonly respondToFailure?: (
    failure: ConnectionError,
    request: Request,
    context: FailureContext<R>,
  ) => Awaitable<Response | undefined>;
  /** Overrides the registry's `replacement` for this factory's connections. */
  readonly replacement?: 'overlap' | 'drain-first';
  /** At most this many of the registry's permits, so that one platform's outage does not take them all. */
  readonly maxConcurrentHydrations?: number;
} & ({
  /** Serves one webhook. */
  readonly handleWebhook: (instance: I, request: Request, context: WebhookContext<R, S>) => Awaitable<Response>;
  /**
   * How a webhook is authenticated: by a function that runs *before* the instance exists, on the row and its secrets
   * alone, or by the handler itself (`'in-handler'`: then a forged request hydrates). A `Response` answers the request at
   * once (challenges).
   */
  readonly authenticate: 'in-handler' | ((request: Request, context: RecordContext<R, S>) => Awaitable<boolean | Response>);
} | {
  readonly handleWebhook?: undefined;
  readonly authenticate?: 'in-handler' | ((request: Request, context: RecordContext<R, S>) => Awaitable<boolean | Response>);
});
