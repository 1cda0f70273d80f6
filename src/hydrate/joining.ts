import type { Backoff } from '../backoff.js';
import type { InstanceFactory } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { ConnectionError } from '../errors.js';
import type { Reader } from '../reads/reader.js';
import type { ReadWaiter } from '../reads/waiters.js';
import type { Slots } from '../slot/slots.js';
import { isHydrating, type Slot } from '../slot/state.js';
import type { Hydrator } from './hydrator.js';
import { wantsLease, type LeaseWaiter } from './lease-waiter.js';
import { backingOff, overloaded } from './refusals.js';

/** Joins waiters to the slot of their connection, or refuses them. Each call is one synchronous step. */
export class Joining<R extends ConnectionRecord, I> {
  readonly #slots: Slots<R, I>;
  readonly #hydrator: Hydrator<R, I>;
  readonly #reader: Reader<R>;
  readonly #backoff: Backoff;

  constructor(slots: Slots<R, I>, hydrator: Hydrator<R, I>, reader: Reader<R>, backoff: Backoff) {
    this.#slots = slots;
    this.#hydrator = hydrator;
    this.#reader = reader;
    this.#backoff = backoff;
  }

  /** Gives a waiter a lease on a live slot. Otherwise it waits for the slot, and a seen slot begins to hydrate. */
  join(waiter: LeaseWaiter<R, I>, slot: Slot<R, I>): void {
    const otherPlatform = waiter.refusalBy(slot.factory);
    if (otherPlatform !== undefined) return waiter.fail(otherPlatform);
    if (slot.state.kind === 'seen') {
      const refusal = this.refusal(slot.id, slot.version, slot.factory);
      if (refusal !== undefined) return waiter.fail(refusal);
      waiter.slot = slot;
      this.#slots.beginning.toPending(slot).waiters.add(waiter);
      this.#hydrator.start(slot);
    } else if (slot.state.kind === 'live') {
      this.#slots.hold(slot);
      waiter.deliver(slot);
    } else if (isHydrating(slot.state)) {
      waiter.slot = slot;
      slot.state.waiters.add(waiter);
    } else {
      // An earlier waiter of the same answer found that the row must be read again.
      this.#reader.request(slot.id, 'row', waiter);
    }
  }

  /** Gives a waiter what it asked for: an instance, or only the row. */
  serve(waiter: ReadWaiter<R>, slot: Slot<R, I>, sentAt: number): void {
    if (waiter.settled) return;
    if (wantsLease<R, I>(waiter)) this.join(waiter, slot);
    else this.show(waiter, slot, sentAt);
  }

  /** Shows the row to a webhook that is not authenticated yet. The webhook holds the slot until it lets go. */
  show(waiter: ReadWaiter<R>, slot: Slot<R, I>, sentAt: number): void {
    waiter.found?.({ slot, sentAt, letGo: waiter.background === undefined ? this.#slots.beginning.look(slot) : () => {} });
  }

  /** Why this version may not be hydrated now, if so. */
  refusal(id: string, version: string, factory: InstanceFactory<R, I>): ConnectionError | undefined {
    const permanent = this.#backoff.permanent(id, version);
    if (permanent !== undefined) return permanent;
    const remainingMs = this.#backoff.remainingMs(id, version);
    if (remainingMs > 0) return backingOff(id, remainingMs);
    return this.#hydrator.isFull(factory) ? overloaded(id) : undefined;
  }
}
