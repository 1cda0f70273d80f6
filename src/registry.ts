import { Backoff } from './backoff.js';
import { Closing, type CloseReport } from './closing.js';
import type { AcquireOptions, Connections } from './connections.js';
import type { ConnectionRegistryOptions, SchemaRegistryOptions } from './contracts/options.js';
import type { ConnectionRecord } from './contracts/record.js';
import { Environment } from './environment.js';
import { Invalidation } from './invalidation.js';
import type { ConnectionError } from './errors.js';
import type { RegistryEvents } from './events.js';
import { checkId } from './reads/check-id.js';
import { isFresh } from './reads/freshness.js';
import { Reader } from './reads/reader.js';
import { Hydrator } from './hydrate/hydrator.js';
import { Joining } from './hydrate/joining.js';
import { Resolver } from './hydrate/resolver.js';
import { Revalidation } from './reads/revalidation.js';
import { Secrets } from './hydrate/secrets.js';
import { UnknownIds } from './reads/unknown-ids.js';
import { LeaseWaiter, type LeaseDemand } from './hydrate/lease-waiter.js';
import { checkCall, checkSignal, resolveFreshness, resolveOptions, resolveTimeout } from './options.js';
import type { Lease } from './slot/lease.js';
import { runUnderLease } from './slot/run-under-lease.js';
import { Slots } from './slot/slots.js';
import { inspect, takeSnapshot, type ConnectionSnapshot, type RegistrySnapshot } from './snapshot.js';
import { WebhookAccess } from './webhook/access.js';
import { createWebhookHandler, type WebhookHandler } from './webhook/handle-webhook.js';

/**
 * Keeps the instances of the connections that are in use, and only those. Every replica has a registry of its own over the
 * same store, and each use asks the store whether its instance is still right (`freshness`).
 *
 * @example
 * const registry = new ConnectionRegistry({
 *   store,
 *   factory: { create: (record) => new Bot(record.token), dispose: (bot) => bot.stop() },
 * });
 * await registry.use('acme', (bot) => bot.send('hello'));
 */
export class ConnectionRegistry<R extends ConnectionRecord, I> implements Connections<R, I>, AsyncDisposable {
  /**
   * Serves a webhook for connection `id`. Authenticates it on the row alone, hydrates, and calls the factory's
   * `handleWebhook`. Holds the instance until the response has been read and all `waitUntil` work has settled. Always
   * resolves with a Response, never rejects. It is bound, so it can be destructured.
   *
   * @param host - on serverless platforms and on Next: its `waitUntil` gets all work that continues after the response
   */
  readonly handleWebhook: WebhookHandler;

  readonly #env: Environment<R, I>;
  readonly #invalidation: Invalidation<R, I>;
  readonly #slots: Slots<R, I>;
  readonly #hydrator: Hydrator<R, I>;
  readonly #reader: Reader<R>;
  readonly #joining: Joining<R, I>;
  readonly #closing: Closing<R, I>;

  /** @throws ConnectionError `INVALID_OPTIONS`, with the option's name, the expected value and the given one */
  constructor(options: SchemaRegistryOptions<R, I>);
  // A mistake is reported against the last signature, so it takes a schema too and names what that lacks.
  constructor(options: ConnectionRegistryOptions<R, I>);
  constructor(options: SchemaRegistryOptions<R, I> | ConnectionRegistryOptions<R, I>) {
    const env = (this.#env = new Environment<R, I>(resolveOptions<R, I>(options)));
    const {
      clock,
      options: { failureBackoff, hydrationTimeoutMs },
    } = env;
    const backoff = new Backoff(failureBackoff, clock);
    const unknown = new UnknownIds(clock);
    const secrets = new Secrets<R>(env, hydrationTimeoutMs);
    const slots = (this.#slots = new Slots<R, I>(env, backoff, (id) => reader.markReadBeforeDispose(id)));
    const reader = (this.#reader = new Reader<R>(env, (read, answer) => resolver.apply(read, answer)));
    const hydrator = (this.#hydrator = new Hydrator<R, I>(env, slots, reader, backoff, secrets));
    const joining = (this.#joining = new Joining<R, I>(slots, hydrator, reader, backoff));
    const resolver: Resolver<R, I> = new Resolver<R, I>(env, slots, hydrator, reader, joining, unknown);
    const revalidation = new Revalidation<R>(env, slots.index, reader, unknown);
    const closing = (this.#closing = new Closing<R, I>(env, slots, hydrator, reader, revalidation));
    const webhooks = new WebhookAccess<R, I>({
      env,
      slots,
      reader,
      joining,
      backoff,
      secrets,
      unknown,
      closing,
      wait: (demand) => this.#wait(demand),
    });
    this.handleWebhook = createWebhookHandler(webhooks);
    this.#invalidation = new Invalidation<R, I>(env, slots, reader, unknown, [backoff, webhooks.secrets.backoff], secrets);
    revalidation.start();
  }

  /** `'closing'` from the call of `close` until it has settled. */
  get state(): 'open' | 'closing' | 'closed' {
    return this.#closing.state;
  }

  /**
   * Runs `work` with the instance of connection `id`, which it hydrates if necessary, and holds the instance until `work`
   * has settled. Resolves and rejects as `work` does.
   *
   * Under `'drain-first'`, do not await a use of the same connection inside `work`. Once the row has changed, it waits for
   * `work` to end, and fails with `ACQUIRE_TIMEOUT`.
   *
   * @throws ConnectionError `CONNECTION_NOT_FOUND`, `CONNECTION_STOPPED`, `INVALID_CONNECTION_ID`, `INVALID_RECORD`,
   * `STORE_UNAVAILABLE`, `HYDRATION_FAILED`, `HYDRATION_TIMEOUT`, `BACKING_OFF`, `OVERLOADED`, `ACQUIRE_TIMEOUT`,
   * `REGISTRY_CLOSED`, `INVALID_OPTIONS`; the reason of `options.signal` if that aborts first
   */
  use<T>(id: string, work: (instance: I, lease: Lease<R, I>) => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    const lease = options === undefined ? this.#leaseNow(id) : undefined;
    if (lease !== undefined) return runUnderLease(lease, work);
    return this.acquire(id, options).then((granted) => runUnderLease(granted, work));
  }

  /**
   * Takes a lease on the instance of connection `id`, which it hydrates if necessary. Use it for work that outlives one
   * function. Release the lease, or declare it with `using`.
   *
   * @throws ConnectionError as `use` does
   */
  acquire(id: string, options: AcquireOptions = {}): Promise<Lease<R, I>> {
    try {
      return this.#acquire(id, options);
    } catch (error) {
      return Promise.reject(error as ConnectionError);
    }
  }

  /**
   * Takes a lease without waiting, if the instance is live and fresh without a read. With `'strict'` it always returns
   * `undefined`.
   */
  tryAcquire(id: string): Lease<R, I> | undefined {
    return this.#leaseNow(id);
  }

  /**
   * Makes the next use of connection `id` in this process hydrate anew, even if the version is the same. An idle instance is
   * disposed of now, a leased one drains. hydrant also forgets failures, secrets, and that the id is unknown. Do not await
   * the result inside a use of the same connection, because it waits for that use.
   *
   * @returns resolves when everything that this call has ended has been disposed of, or has timed out; never rejects
   */
  invalidate(id: string): Promise<void> {
    return this.#invalidation.one(id);
  }

  /**
   * Does the same for every connection whose row matches, such as all those of a tenant. It applies to everything that this
   * process knows: instances, failures, secrets, and rows that are being read.
   *
   * @param predicate - must be synchronous; if it throws, the row matches
   * @returns resolves when everything that this call has ended has been disposed of, or has timed out; never rejects
   */
  invalidateWhere(predicate: (record: R) => boolean): Promise<void> {
    return this.#invalidation.where(predicate);
  }

  /**
   * Returns the row of the snapshot for connection `id`, in constant time, without a lease or a read. `undefined` if this
   * process has no instance of it and is not creating one.
   */
  inspect(id: string): ConnectionSnapshot | undefined {
    return inspect(this.#slots, id, this.#env.clock.monotonic());
  }

  /** Returns the current state as plain JSON, without record contents: counts, and a row per connection. */
  snapshot(): RegistrySnapshot {
    const { clock, options } = this.#env;
    return takeSnapshot(this.#slots, this.#hydrator.queued, this.#reader.queries, options, clock.monotonic());
  }

  /**
   * Listens to an event. Exceptions thrown by listeners are caught. A failure without a listener is written to the console,
   * once per connection and version if it has them. Adding a listener turns off console output for its event.
   *
   * @returns an unsubscribe function
   */
  on<E extends keyof RegistryEvents>(event: E, listener: (payload: RegistryEvents[E]) => void): () => void {
    return this.#env.events.on(event, listener);
  }

  /**
   * Refuses new uses and completes accepted ones. Waits for leases, `waitUntil` work and streaming responses, disposes of
   * everything, and reports the instances it had to abandon. A second call returns the first one's promise.
   *
   * @param options - `drainTimeoutMs`: after this long, the signals of leases abort and their instances are disposed of.
   * Default 20 000, because Kubernetes kills after 30 s.
   * @throws ConnectionError `INVALID_OPTIONS`
   */
  close(options: { drainTimeoutMs?: number } = {}): Promise<CloseReport> {
    return this.#closing.close(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A lease on the live instance if it may serve at once, without a read. */
  #leaseNow(id: string): Lease<R, I> | undefined {
    const slot = this.#slots.index.get(id);
    if (slot === undefined || slot.state.kind !== 'live') return undefined;
    const now = this.#env.now();
    return isFresh(slot, now, this.#env.maxStaleMs) ? this.#slots.lease(slot, now) : undefined;
  }

  #acquire(id: string, options: AcquireOptions): Promise<Lease<R, I>> {
    if (this.#closing.state !== 'open') throw this.#closing.refusal(id);
    checkCall('use', options);
    const { signal, timeoutMs, freshness } = options;
    if (signal !== undefined) checkSignal(signal);
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const demand = {
      id,
      signal,
      timeoutMs: timeoutMs === undefined ? this.#env.options.acquireTimeoutMs : resolveTimeout(timeoutMs),
    };
    const maxStaleMs = freshness === undefined ? this.#env.options.maxStaleMs : resolveFreshness(freshness);
    const slot = this.#slots.index.get(id);
    if (slot === undefined) checkId(id);
    const now = this.#env.now();
    const fresh = slot !== undefined && isFresh(slot, now, maxStaleMs);
    if (fresh && slot.state.kind === 'live') return Promise.resolve(this.#slots.lease(slot, now));
    const waiter = this.#wait(demand);
    if (fresh) this.#joining.join(waiter, slot);
    else this.#reader.request(id, slot === undefined ? 'row' : 'version', waiter);
    return waiter.promise;
  }

  readonly #onLeft = (waiter: LeaseWaiter<R, I>, aborted: { readonly reason: unknown } | undefined): void =>
    this.#hydrator.left(waiter, aborted);
  readonly #onSettled = (): void => this.#closing.finished();

  #wait(demand: LeaseDemand): LeaseWaiter<R, I> {
    this.#closing.began();
    return new LeaseWaiter(demand, this.#env, this.#slots, this.#onLeft, this.#onSettled);
  }
}
