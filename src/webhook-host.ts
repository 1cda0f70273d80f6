import type { Clock } from './clock.js';
import type { Closing } from './closing.js';
import type { InstanceFactory } from './contracts/factory.js';
import type { ResolvedOptions } from './contracts/options.js';
import type { Awaitable, ConnectionRecord } from './contracts/record.js';
import { ConnectionError } from './errors.js';
import type { RegistryEvents } from './events.js';
import type { Backoff } from './hydrate/backoff.js';
import type { FreshnessReader } from './hydrate/freshness.js';
import { backingOff, type Resolver } from './hydrate/resolver.js';
import type { Secrets } from './hydrate/secrets.js';
import { RecordWaiter, type Found, type LeaseDemand, type LeaseWaiter } from './hydrate/waiter.js';
import type { Lease } from './slot/lease.js';
import type { Slots } from './slot/slots.js';
import type { WebhookHost } from './webhook/handle-webhook.js';

/** The parts of a registry that its webhooks touch. */
export interface RegistryParts<R extends ConnectionRecord, I> {
  readonly clock: Clock;
  readonly options: ResolvedOptions<R, I>;
  readonly slots: Slots<R, I>;
  readonly reader: FreshnessReader<R>;
  readonly resolver: Resolver<R, I>;
  readonly closing: Closing<R, I>;
  readonly backoff: Backoff;
  readonly secrets: Secrets<R>;
  /** The monotonic clock, read at least once per turn of the event loop. */
  now(): number;
  /** How often anything has been invalidated: what was read before rests on what no longer counts. */
  invalidations(): number;
  /** @throws ConnectionError `INVALID_CONNECTION_ID` or `CONNECTION_NOT_FOUND` */
  checkId(id: string): void;
  /** Someone who waits for a lease from now on. */
  wait(demand: LeaseDemand): LeaseWaiter<R, I>;
  factoryOf(record: R): InstanceFactory<R, I>;
  secretsOf(record: R): Awaitable<unknown>;
  around<T>(record: R, work: () => T): T;
  emit<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): void;
}

/** A row, and how often anything had been invalidated when it was asked for. */
interface FoundNow<R extends ConnectionRecord> extends Found<R> { readonly invalidations: number }

/** What a registry is to its webhooks. A delivery uses a connection in two steps, for it is authenticated in between. */
export class RegistryForWebhooks<R extends ConnectionRecord, I> implements WebhookHost<R, I, FoundNow<R>> {
  readonly clock: Clock;
  readonly closing: Closing<R, I>;
  readonly options: ResolvedOptions<R, I>['webhook'];
  readonly timeoutMs: number;
  readonly factoryOf: (record: R) => InstanceFactory<R, I>;
  readonly around: <T>(record: R, work: () => T) => T;
  readonly emit: <E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]) => void;
  readonly #parts: RegistryParts<R, I>;

  constructor(parts: RegistryParts<R, I>) {
    this.clock = parts.clock;
    this.closing = parts.closing;
    this.options = parts.options.webhook;
    this.timeoutMs = parts.options.acquireTimeoutMs;
    this.factoryOf = parts.factoryOf;
    this.around = parts.around;
    this.emit = parts.emit;
    this.#parts = parts;
  }

  /** The row alone, for a webhook that is still to be authenticated. */
  async find(id: string, gone: () => boolean): Promise<FoundNow<R>> {
    const parts = this.#parts;
    const invalidations = parts.invalidations();
    const slot = parts.slots.index.get(id);
    if (slot === undefined) parts.checkId(id);
    else if (parts.now() - slot.checkedAt <= parts.options.maxStaleMs) return { record: slot.record, sentAt: slot.checkedAt, invalidations };
    const waiter = new RecordWaiter<R>(gone);
    parts.reader.request(id, slot === undefined ? 'row' : 'version', waiter);
    return { ...await waiter.promise, invalidations };
  }

  /** A lease for a webhook that has been authenticated: it rests on the read that found the row. */
  acquire({ record, sentAt, invalidations, unconfirmed }: FoundNow<R>): Promise<Lease<R, I>> {
    const parts = this.#parts;
    const { closing, slots, resolver, reader } = parts;
    if (closing.expired) return Promise.reject(closing.refusal(record.id));
    const waiter = parts.wait({ id: record.id, signal: undefined, timeoutMs: this.timeoutMs });
    // Unless it is that of a slot which still stands.
    const outdated = (unconfirmed === true || invalidations !== parts.invalidations()) && slots.index.get(record.id)?.record !== record;
    try {
      if (!outdated) resolver.takeUp(record, sentAt, waiter);
      else reader.request(record.id, 'row', waiter);
    } catch (cause) {
      // A lazy row may throw by now. A waiter that nobody lets go would hold up `close`.
      waiter.fail(cause as ConnectionError);
    }
    return waiter.promise;
  }

  /**
   * The secrets before there is an instance: a request that may be forged must not make the vault be asked again and
   * again after it has failed.
   */
  secretsOf(record: R): Awaitable<unknown> {
    return this.factoryOf(record).secrets === undefined ? undefined : this.#secretsOf(record);
  }

  async #secretsOf(record: R): Promise<unknown> {
    const { slots, backoff, secrets, secretsOf, emit } = this.#parts;
    const { id } = record;
    const version = String(record.version);
    if (!secrets.has(record)) {
      const remainingMs = backoff.remainingMs(id, version);
      if (remainingMs > 0) throw backingOff(id, remainingMs);
    }
    try {
      return await secretsOf(record);
    } catch (cause) {
      const { count, delayMs } = this.#noted(id, version);
      const error = new ConnectionError('HYDRATION_FAILED', `The secrets of connection '${id}' could not be had`, { connectionId: id, retryAfterMs: delayMs, cause });
      emit('hydrationFailed', { id, version, error, failures: count, retryAfterMs: delayMs });
      slots.effects.flush();
      throw error;
    }
  }

  /** Those who waited for the same answer share one failure. That of a version the row has moved on from ends no back-off. */
  #noted(id: string, version: string): { readonly count: number; readonly delayMs: number } {
    const { backoff } = this.#parts;
    const delayMs = backoff.remainingMs(id, version);
    if (delayMs > 0) return { count: backoff.count(id, version), delayMs };
    return backoff.leavesAnotherAlone(id, version) ? { count: 1, delayMs: 0 } : backoff.fail(id, version);
  }
}
