import type { ConnectionRecord } from '../contracts/record.js';
import type { Slot } from './state.js';

/**
 * The order in which instances were last used. Eviction and the idle time-out use it.
 *
 * The end of a use only writes a rising number into its slot (moving an entry of an LRU list on every use costs several
 * times the look-up itself). The queue is a binary heap over the number each slot had when it was last placed: a lower bound of
 * the number it has now. So the least recently used slot is found by placing the first slot anew until the first one
 * is where it belongs. A leased slot that comes up is taken out; it returns when it is released.
 */
export class Recency<R extends ConnectionRecord, I> {
  readonly #queue: Slot<R, I>[] = [];
  #order = 0;

  /** Marks the end of a use: one write. */
  touch(slot: Slot<R, I>): void {
    slot.usedOrder = ++this.#order;
  }

  /** Places an idle slot in the queue. */
  add(slot: Slot<R, I>): void {
    if (slot.queueIndex >= 0) return;
    slot.queuedOrder = slot.usedOrder;
    this.#queue.push(slot);
    this.#up(slot, this.#queue.length - 1);
  }

  remove(slot: Slot<R, I>): void {
    const index = slot.queueIndex;
    if (index < 0) return;
    slot.queueIndex = -1;
    const last = this.#queue.pop() as Slot<R, I>;
    if (last === slot) return;
    this.#put(last, index);
    this.#up(last, index);
    this.#down(last, last.queueIndex);
  }

  /**
   * The least recently used idle slot. Exact while at most `effort` slots were used since they were last placed;
   * beyond that it settles for the least recently used of those it looked at, so that one eviction among a million
   * busy connections does not stop the process.
   */
  leastRecentlyUsed(effort = 128): Slot<R, I> | undefined {
    let oldestSeen: Slot<R, I> | undefined;
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (first.leases > 0) {
        this.remove(first);
      } else if (first.queuedOrder === first.usedOrder) {
        return first;
      } else if (effort > 0) {
        if (oldestSeen === undefined || first.usedOrder < oldestSeen.usedOrder) oldestSeen = first;
        first.queuedOrder = first.usedOrder;
        this.#down(first, 0);
      } else {
        return oldestSeen ?? first;
      }
      effort -= 1;
    }
    return undefined;
  }

  /** Whether nothing in the queue was used before `slot`. */
  isFirst(slot: Slot<R, I>): boolean {
    return this.#queue[0] === slot && slot.queuedOrder === slot.usedOrder;
  }

  #up(slot: Slot<R, I>, index: number): void {
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#queue[parentIndex] as Slot<R, I>;
      if (parent.queuedOrder <= slot.queuedOrder) break;
      this.#put(parent, index);
      index = parentIndex;
    }
    this.#put(slot, index);
  }

  #down(slot: Slot<R, I>, index: number): void {
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = this.#queue[childIndex];
      const right = this.#queue[childIndex + 1];
      if (child === undefined) break;
      if (right !== undefined && right.queuedOrder < child.queuedOrder) { child = right; childIndex += 1; }
      if (slot.queuedOrder <= child.queuedOrder) break;
      this.#put(child, index);
      index = childIndex;
    }
    this.#put(slot, index);
  }

  #put(slot: Slot<R, I>, index: number): void {
    this.#queue[index] = slot;
    slot.queueIndex = index;
  }
}
