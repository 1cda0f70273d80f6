import type { ConnectionRecord } from '../contracts/record.js';
import type { Slot } from './slot.js';

/** Passed over at most by one eviction. */
const EFFORT = 4_096;

/**
 * Which idle instance goes, by SIEVE (Zhang and others, NSDI 2024): a queue in the order of arrival, and a hand that goes
 * over it from the oldest on. Whoever was used since the hand last came by is passed over; the first who was not goes.
 * What is used once, by a crawler say, is gone soon, and does not push out what is used again and again.
 *
 * A use marks its slot as it does for `Recency`: its `usedOrder` is then not the one that the hand has seen.
 */
export class Sieve<R extends ConnectionRecord, I> {
  /** In the order of arrival → what the hand saw. */
  readonly #seen = new Map<Slot<R, I>, number>();
  /** A map's iterator goes on where it stood, whatever was removed or added. */
  #hand = this.#seen.entries();

  /** An idle slot takes its place at the end, where it has none yet. */
  add(slot: Slot<R, I>): void {
    if (!this.#seen.has(slot)) this.#seen.set(slot, slot.usedOrder);
  }

  remove(slot: Slot<R, I>): void {
    this.#seen.delete(slot);
  }

  /**
   * Who is to go now.
   *
   * @param leased - is told of who is in use: it gives up its place, and is to be added when it is idle again
   */
  victim(leased: (slot: Slot<R, I>) => void): Slot<R, I> | undefined {
    let passed = 0;
    while (this.#seen.size > 0) {
      const next = this.#hand.next();
      if (next.done === true) {
        this.#hand = this.#seen.entries();
        continue;
      }
      const [slot, seen] = next.value;
      if (slot.leases > 0) {
        this.#seen.delete(slot);
        leased(slot);
      } else if (seen === slot.usedOrder || passed === EFFORT) {
        return slot;
      } else {
        this.#seen.set(slot, slot.usedOrder);
        passed += 1;
      }
    }
    return undefined;
  }
}
