import type { ConnectionRecord } from '../contracts/record.js';
import type { Slot } from './state.js';

/** The slots that have left the index and are not disposed yet. Successors wait here for one of them to make way. */
export class Departing<R extends ConnectionRecord, I> {
  readonly #index: Map<string, Slot<R, I>>;
  readonly #slots = new Map<string, Set<Slot<R, I>>>();
  readonly #listeners = new Map<string, (() => void)[]>();

  constructor(index: Map<string, Slot<R, I>>) {
    this.#index = index;
  }

  get size(): number {
    return this.#slots.size;
  }

  of(id: string): Iterable<Slot<R, I>> {
    return this.#slots.get(id) ?? [];
  }

  *all(): Iterable<Slot<R, I>> {
    for (const slots of this.#slots.values()) yield* slots;
  }

  /** The slot leaves the index and is on its way out. */
  add(slot: Slot<R, I>): void {
    this.#unindex(slot);
    const slots = this.#slots.get(slot.id);
    if (slots === undefined) this.#slots.set(slot.id, new Set([slot]));
    else slots.add(slot);
  }

  /** The slot is disposed. */
  remove(slot: Slot<R, I>): void {
    this.#unindex(slot);
    const slots = this.#slots.get(slot.id);
    slots?.delete(slot);
    if (slots?.size === 0) this.#slots.delete(slot.id);
    this.progressed(slot.id);
  }

  /** Calls back once, when the next older slot of this connection makes way. */
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

  /** By identity, never by id: a successor may have its place. */
  #unindex(slot: Slot<R, I>): void {
    if (this.#index.get(slot.id) === slot) this.#index.delete(slot.id);
  }
}
