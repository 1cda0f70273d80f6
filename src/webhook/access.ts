import type { Backoff } from '../backoff.js';
import type { Closing } from '../closing.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import type { Reader } from '../reads/reader.js';
import { isFresh } from '../reads/freshness.js';
import { notFound } from '../hydrate/refusals.js';
import type { Joining } from '../hydrate/joining.js';
import type { Secrets } from '../hydrate/secrets.js';
import { checkId } from '../reads/check-id.js';
import type { UnknownIds } from '../reads/unknown-ids.js';
import { RowWaiter, type Found } from '../reads/waiters.js';
import type { LeaseDemand, LeaseWaiter } from '../hydrate/lease-waiter.js';
import type { Slot } from '../slot/state.js';
import type { Lease } from '../slot/lease.js';
import type { Slots } from '../slot/slots.js';
import { StrangerSecrets } from './stranger-secrets.js';

/** The parts of a registry that its webhooks use. */
export interface WebhookParts<R extends ConnectionRecord, I> {
  readonly env: Environment<R, I>;
  readonly slots: Slots<R, I>;
  readonly reader: Reader<R>;
  readonly joining: Joining<R, I>;
  readonly backoff: Backoff;
  readonly secrets: Secrets<R>;
  readonly closing: Closing<R, I>;
  readonly unknown: UnknownIds;
  /** Makes a waiter for a lease. */
  wait(demand: LeaseDemand): LeaseWaiter<R, I>;
}

/** A lease, or the promise of one, and the slot it is on as soon as there is one. */
export interface Acquired<R extends ConnectionRecord, I> {
  readonly slot: Slot<R, I> | undefined;
  readonly promise: Awaitable<Lease<R, I>>;
}

/** Gives webhooks connections in two steps, `find` and `acquire`, because they are authenticated in between. */
export class WebhookAccess<R extends ConnectionRecord, I> {
  readonly env: Environment<R, I>;
  readonly closing: Closing<R, I>;
  readonly secrets: StrangerSecrets<R, I>;
  #unauthenticated = 0;
  readonly #parts: WebhookParts<R, I>;

  constructor(parts: WebhookParts<R, I>) {
    this.env = parts.env;
    this.closing = parts.closing;
    this.secrets = new StrangerSecrets(parts.env, parts.slots, parts.backoff, parts.secrets);
    this.#parts = parts;
  }

  /** Deliveries that are not authenticated yet, and calls of `secrets` that still run for senders who have left. */
  get unauthenticated(): number {
    return this.#unauthenticated + this.#parts.secrets.orphaned;
  }

  /** Counts a delivery until the function that is returned is called. `undefined` if there are too many already. */
  takePlace(): (() => void) | undefined {
    if (this.unauthenticated >= this.env.options.webhook.maxUnauthenticated) return undefined;
    this.#unauthenticated += 1;
    let taken = 1;
    return () => {
      this.#unauthenticated -= taken;
      taken = 0;
    };
  }

  /** The row alone, as fresh as the registry's `freshness` asks, unless the delivery has `gone` without it. */
  find(id: string, gone: () => boolean): Awaitable<Found<R, I>> {
    const { env, slots, reader, unknown } = this.#parts;
    const slot = slots.index.get(id);
    if (slot === undefined) {
      checkId(id);
      if (unknown.has(id)) throw notFound(id);
    // Not `env.maxStaleMs`: while the registry closes, it still serves the webhooks that it has accepted.
    } else if (isFresh(slot, env.now(), env.options.maxStaleMs)) {
      return { slot, sentAt: slot.checkedAt, letGo: slots.beginning.look(slot) };
    }
    const waiter = new RowWaiter<R, I>(slot === undefined, gone);
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
}
