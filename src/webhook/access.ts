import type { Backoff } from '../backoff.js';
import type { Closing } from '../closing.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { ConnectionError } from '../errors.js';
import type { FreshnessReader } from '../reads/reader.js';
import { permanentFailure } from '../hydrate/permanent.js';
import { backingOff, notFound, type Resolver } from '../hydrate/resolver.js';
import type { Secrets } from '../hydrate/secrets.js';
import { checkId } from '../reads/ids.js';
import type { UnknownIds } from '../reads/unknown-ids.js';
import { RecordWaiter, type Found } from '../reads/waiters.js';
import { type LeaseDemand, type LeaseWaiter } from '../hydrate/lease-waiter.js';
import type { Slot } from '../slot/slot.js';
import type { Slots } from '../slot/slots.js';

/** What of a registry its webhooks touch. */
export interface WebhookParts<R extends ConnectionRecord, I> {
  readonly env: Environment<R, I>;
  readonly slots: Slots<R, I>;
  readonly reader: FreshnessReader<R>;
  readonly resolver: Resolver<R, I>;
  readonly backoff: Backoff;
  readonly secrets: Secrets<R>;
  readonly closing: Closing<R, I>;
  readonly unknown: UnknownIds;
  /** Someone who waits for a lease from now on. */
  wait(demand: LeaseDemand): LeaseWaiter<R, I>;
}

/** How webhooks use connections: in two steps, for they are authenticated in between. */
export class WebhookAccess<R extends ConnectionRecord, I> {
  readonly env: Environment<R, I>;
  readonly closing: Closing<R, I>;
  readonly #parts: WebhookParts<R, I>;

  constructor(parts: WebhookParts<R, I>) {
    this.env = parts.env;
    this.closing = parts.closing;
    this.#parts = parts;
  }

  /** The row alone, as fresh as the registry's `freshness` asks, unless the delivery has `gone` without it. */
  async find(id: string, gone: () => boolean): Promise<Found<R, I>> {
    const { env, slots, reader, unknown } = this.#parts;
    const slot = slots.index.get(id);
    if (slot === undefined) {
      checkId(id);
      if (unknown.has(id)) throw notFound(id);
    } else if (env.now() - slot.checkedAt <= env.options.maxStaleMs) {
      return { slot, sentAt: slot.checkedAt, letGo: slots.look(slot) };
    }
    const waiter = new RecordWaiter<R, I>(gone);
    reader.request(id, slot === undefined ? 'row' : 'version', waiter);
    return waiter.promise;
  }

  /**
   * A lease for a webhook that has been authenticated: on the slot of the row that it was authenticated with, or of a
   * newer one. Where there is none any more, anything may have befallen it, and it is read anew.
   *
   * @throws ConnectionError `REGISTRY_CLOSED`
   */
  acquire(id: string, { slot, sentAt }: Found<R, I>): LeaseWaiter<R, I> {
    const { env, slots, reader, resolver, closing, wait } = this.#parts;
    if (closing.expired) throw closing.refusal(id);
    const waiter = wait({ id, signal: undefined, timeoutMs: env.options.acquireTimeoutMs });
    const current = slots.index.get(id);
    if (current !== undefined && (current === slot || current.checkedAt > sentAt)) resolver.join(waiter, current);
    else reader.request(id, 'row', waiter);
    return waiter;
  }

  /**
   * The secrets before there is an instance: a request that may be forged must not make the vault be asked again and
   * again after it has failed.
   *
   * @throws ConnectionError `HYDRATION_FAILED`, `BACKING_OFF`
   */
  async secretsOf({ id, record, version, factory }: Slot<R, I>): Promise<unknown> {
    const { env, slots, backoff, secrets } = this.#parts;
    if (factory.secrets !== undefined && !secrets.has(record)) {
      const permanent = backoff.permanent(id, version);
      if (permanent !== undefined) throw permanent;
      const remainingMs = backoff.remainingMs(id, version);
      if (remainingMs > 0) throw backingOff(id, remainingMs);
    }
    try {
      return await secrets.of(record, factory, false);
    } catch (cause) {
      const permanent = permanentFailure(id, cause);
      const { count, delayMs } = permanent === undefined ? this.#noted(id, version)
        // The failure of an older version must not hide that of a newer one.
        : slots.index.get(id)?.version === version ? backoff.failForGood(id, version, permanent, record) : { count: 1, delayMs: 0 };
      const error = permanent ?? new ConnectionError('HYDRATION_FAILED', `The secrets of connection '${id}' could not be had`, { connectionId: id, retryAfterMs: delayMs, cause });
      env.emit('hydrationFailed', { id, version, error, failures: count, retryAfterMs: delayMs });
      env.effects.flush();
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
