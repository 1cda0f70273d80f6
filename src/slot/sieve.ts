import type { ConnectionRecord } from '../contracts/record.js';
import type { Slot } from './state.js';

/** How many places one eviction passes over at most. */
const EFFORT = 4_096;

interface Place<R extends ConnectionRecord, I> {
  readonly slot: Slot<R, I>;
  /** Its `usedOrder` when the hand came by, or when it arrived. */
  seen: number;
  before: Place<R, I> | undefined;
  after: Place<R, I> | undefined;
}

/**
 * Chooses the idle instance to evict by SIEVE (Zhang and others, NSDI 2024). A hand moves over a queue in the order of
 * arrival, from the oldest on. It passes over instances that were used since it last came by, and evicts the first other
 * one. An instance that is used once, by a crawler say, is evicted soon and does not displace busy ones.
 *
 * A use marks its slot as it does for `Recency`: its `usedOrder` is then not the one that the hand has seen.
 *
 * The queue is a list of its own. A map's iterator as the hand would keep every table that the map has outgrown since the
 * hand last moved, with all slots that were ever in them.
 */
export class Sieve<R extends ConnectionRecord, I> {
  readonly #places = new Map<Slot<R, I>, Place<R, I>>();
  #oldest: Place<R, I> | undefined;
  #newest: Place<R, I> | undefined;
  /** The place that the hand checks next. `undefined` at the end of the queue, where the hand starts again. */
  #hand: Place<R, I> | undefined;

  /** Adds an idle slot at the end of the queue, unless it already has a place. */
  add(slot: Slot<R, I>): void {
    if (this.#places.has(slot)) return;
    const place: Place<R, I> = { slot, seen: slot.usedOrder, before: this.#newest, after: undefined };
    if (this.#newest === undefined) this.#oldest = place;
    else this.#newest.after = place;
    this.#newest = place;
    this.#places.set(slot, place);
  }

  remove(slot: Slot<R, I>): void {
    const place = this.#places.get(slot);
    if (place === undefined) return;
    this.#places.delete(slot);
    const { before, after } = place;
    if (before === undefined) this.#oldest = after;
    else before.after = after;
    if (after === undefined) this.#newest = before;
    else after.before = before;
    if (this.#hand === place) this.#hand = after;
  }

  /**
   * Returns the slot to evict now.
   *
   * @param leased - called with each slot in use. It gives up its place, and is added again when it is idle
   */
  victim(leased: (slot: Slot<R, I>) => void): Slot<R, I> | undefined {
    let passed = 0;
    for (let place = this.#hand ?? this.#oldest; place !== undefined; place = this.#hand ?? this.#oldest) {
      const { slot, seen } = place;
      this.#hand = place.after;
      if (slot.leases > 0) {
        this.remove(slot);
        leased(slot);
      } else if (seen === slot.usedOrder || passed === EFFORT) {
        return slot;
      } else {
        place.seen = slot.usedOrder;
        passed += 1;
      }
    }
    return undefined;
  }
}
