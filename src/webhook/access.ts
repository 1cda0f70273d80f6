import { Backoff } from '../backoff.js';
import type { Closing } from '../closing.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { ConnectionError } from '../errors.js';
import type { FreshnessReader } from '../reads/reader.js';
import { permanentFailure } from '../hydrate/permanent-failure.js';
import { backingOff, notFound } from '../hydrate/refusals.js';
import type { Joining } from '../hydrate/joining.js';
import type { Secrets, Stranger } from '../hydrate/secrets.js';
import { checkId } from '../reads/check-id.js';
import type { UnknownIds } from '../reads/unknown-ids.js';
import { RecordWaiter, type Found } from '../reads/waiters.js';
import { type LeaseDemand, type LeaseWaiter } from '../hydrate/lease-waiter.js';
import type { Slot } from '../slot/state.js';
import type { Lease } from '../slot/lease.js';
import type { Slots } from '../slot/slots.js';

/** The parts of a registry that its webhooks use. */
export interface WebhookParts<R extends ConnectionRecord, I> {
  readonly env: Environment<R, I>;
  readonly slots: Slots<R, I>;
  readonly reader: FreshnessReader<R>;
  readonly joining: Joining<R, I>;
  readonly backoff: Backoff;
  readonly secrets: Secrets<R>;
  readonly closing: Closing<R, I>;
  readonly unknown: UnknownIds;
  /** Someone who waits for a lease from now on. */
  wait(demand: LeaseDemand): LeaseWaiter<R, I>;
}

/**
 * The longest back-off that senders who are not authenticated can cause. Genuine deliveries wait it out too, because
 * nobody can tell them apart yet.
 */
const MAX_BACKOFF_MS = 5_000;

/** A lease, or the promise of one, and the slot it is on as soon as there is one. */
export interface Acquired<R extends ConnectionRecord, I> {
  readonly slot: Slot<R, I> | undefined;
  readonly promise: Awaitable<Lease<R, I>>;
}

/** Gives webhooks connections in two steps, because they are authenticated in between. */
export class WebhookAccess<R extends ConnectionRecord, I> {
  readonly env: Environment<R, I>;
  readonly closing: Closing<R, I>;
  #unauthenticated = 0;
  /** Failed calls of `secrets` on behalf of senders who are not authenticated. They never refuse a use or a hydrate. */
  readonly failures: Backoff;
  readonly #parts: WebhookParts<R, I>;

  constructor(parts: WebhookParts<R, I>) {
    this.env = parts.env;
    this.closing = parts.closing;
    this.#parts = parts;
    const { clock, options: { failureBackoff: { initialMs, maxMs } } } = parts.env;
    this.failures = new Backoff(
      { initialMs: Math.min(initialMs, MAX_BACKOFF_MS), maxMs: Math.min(maxMs, MAX_BACKOFF_MS) },
      clock,
    );
  }

  /** Deliveries that are not authenticated yet, and calls of `secrets` that still run for senders who have left. */
  get unauthenticated(): number {
    return this.#unauthenticated + this.#parts.secrets.abandoned;
  }

  /** Counts a delivery until the function that is returned is called. */
  takePlace(): () => void {
    this.#unauthenticated += 1;
    return () => { this.#unauthenticated -= 1; };
  }

  /** The row alone, as fresh as the registry's `freshness` asks, unless the delivery has `gone` without it. */
  find(id: string, gone: () => boolean): Awaitable<Found<R, I>> {
    const { env, slots, reader, unknown } = this.#parts;
    const slot = slots.index.get(id);
    if (slot === undefined) {
      checkId(id);
      if (unknown.has(id)) throw notFound(id);
    } else if (env.now() - slot.checkedAt <= env.options.maxStaleMs) {
      return { slot, sentAt: slot.checkedAt, letGo: slots.attempts.look(slot) };
    }
    const waiter = new RecordWaiter<R, I>(slot === undefined, gone);
    reader.request(id, slot === undefined ? 'row' : 'version', waiter);
    return waiter.promise;
  }

  /**
   * A lease for a webhook that has been authenticated: on the slot of the row that it was authenticated with, or of a
   * newer one. If there is no such slot any more, the row is read again, because anything may have happened to it.
   *
   * @throws ConnectionError `REGISTRY_CLOSED`
   */
  acquire(id: string, { slot, slot: { factory }, sentAt }: Found<R, I>): Acquired<R, I> {
    const { env, slots, reader, joining, closing, wait } = this.#parts;
    if (closing.expired) throw closing.refusal(id);
    const current = slots.index.get(id);
    const isNewest = current !== undefined && (current === slot || current.checkedAt > sentAt);
    if (isNewest && current.state.kind === 'live' && current.factory === factory)
      return { slot: current, promise: slots.lease(current, env.now()) };
    const waiter = wait({ id, signal: undefined, timeoutMs: env.options.acquireTimeoutMs, factory });
    if (isNewest) joining.join(waiter, current);
    else reader.request(id, 'row', waiter);
    return waiter;
  }

  /**
   * The secrets before there is an instance. After a failure the vault is left alone for a while, because the request
   * may be forged.
   *
   * @throws ConnectionError `HYDRATION_FAILED`, `BACKING_OFF`
   */
  secretsOf(slot: Slot<R, I>, stranger: Stranger): Awaitable<unknown> {
    if (slot.factory.secrets === undefined) return undefined;
    if (slot.state.kind === 'live') return slot.secrets;
    const settled = this.#parts.secrets.settled(slot.record);
    return settled === undefined ? this.#askForSecrets(slot, stranger) : settled.value;
  }

  async #askForSecrets({ id, record, version, factory }: Slot<R, I>, stranger: Stranger): Promise<unknown> {
    const { env, slots, backoff, secrets } = this.#parts;
    if (!secrets.has(record)) {
      const permanent = backoff.permanent(id, version);
      if (permanent !== undefined) throw permanent;
      const remainingMs = Math.max(backoff.remainingMs(id, version), this.failures.remainingMs(id, version));
      if (remainingMs > 0) throw backingOff(id, remainingMs);
    }
    let call: unknown;
    try {
      call = secrets.of(record, factory, stranger);
      const resolved = await call;
      if (!this.failures.leavesAnotherAlone(id, version)) this.failures.clear(id);
      return resolved;
    } catch (cause) {
      const permanent = permanentFailure(id, cause);
      const { count, delayMs } = secrets.wasForgotten(call)
        ? { count: 1, delayMs: 0 }
        : permanent === undefined
          ? this.#noted(id, version, record)
          : // The failure of an older version must not hide that of a newer one.
            slots.index.get(id)?.version === version
            ? backoff.failForGood(id, version, permanent, record)
            : { count: 1, delayMs: 0 };
      const error = permanent ?? new ConnectionError('HYDRATION_FAILED', `The secrets of connection '${id}' were not resolved`, {
        connectionId: id, retryAfterMs: delayMs, cause,
      });
      env.emit('hydrationFailed', { id, version, error, failures: count, retryAfterMs: delayMs });
      env.effects.flush();
      throw error;
    }
  }

  /** Callers that shared one call share one failure. A failure of an older version does not end the back-off of a newer one. */
  #noted(id: string, version: string, record: R): { readonly count: number; readonly delayMs: number } {
    const { failures } = this;
    const delayMs = failures.remainingMs(id, version);
    if (delayMs > 0) return { count: failures.count(id, version), delayMs };
    return failures.leavesAnotherAlone(id, version) ? { count: 1, delayMs: 0 } : failures.fail(id, version, record);
  }
}
