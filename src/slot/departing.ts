import type { ConnectionRecord } from '../contracts/record.js';
import type { Slot } from './state.js';

/** The slots that are out of the index and not disposed yet, and who waits for one of them to get on. */
export class Departing<R extends ConnectionRecord, I> {
  readonly #slots = new Map<string, Set<Slot<R, I>>>();
  readonly #listeners = new Map<string, (() => void)[]>();

  get size(): number {
    return this.#slots.size;
  }

  of(id: string): Iterable<Slot<R, I>> {
    return this.#slots.get(id) ?? [];
  }

  *all(): Iterable<Slot<R, I>> {
    for (const slots of this.#slots.values()) yield* slots;
  }

  add(slot: Slot<R, I>): void {
    const slots = this.#slots.get(slot.id);
    if (slots === undefined) this.#slots.set(slot.id, new Set([slot]));
    else slots.add(slot);
  }

  remove(slot: Slot<R, I>): void {
    const slots = this.#slots.get(slot.id);
    slots?.delete(slot);
    if (slots?.size === 0) this.#slots.delete(slot.id);
    this.progressed(slot.id);
  }

  /** Calls back once, when an older slot of this connection is next out of somebody's way. */
  onProgress(id: string, listener: () => void): void {
    const listeners = this.#listeners.get(id);
    if (listeners === undefined) this.#listeners.set(id, [listener]);
    else listeners.push(listener);
  }

  progressed(id: string): void {
    const listeners = this.#listeners.get(id);
    if (listeners === undefined) return;
    this.#listeners.delete(id);
    for (const listener of listeners) listener();
  }
}
