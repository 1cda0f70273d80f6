import type { ConnectionRecord } from '../contracts/record.js';
import type { Slot } from './state.js';

/** Of the leases whose signal was asked for: what aborts it when a drain deadline has passed. */
export class DrainSignals<R extends ConnectionRecord, I> {
  readonly #controllers = new WeakMap<Slot<R, I>, Set<AbortController>>();

  /** For one lease on this slot. */
  add(slot: Slot<R, I>): AbortController {
    const controller = new AbortController();
    if (slot.state.kind === 'disposing' || slot.state.kind === 'disposed') {
      controller.abort(deadlinePassed(slot.id));
    } else {
      const controllers = this.#controllers.get(slot);
      if (controllers === undefined) this.#controllers.set(slot, new Set([controller]));
      else controllers.add(controller);
    }
    return controller;
  }

  remove(slot: Slot<R, I>, controller: AbortController): void {
    this.#controllers.get(slot)?.delete(controller);
  }

  /** The instance is about to be disposed of under whoever holds a lease still. */
  abort(slot: Slot<R, I>): void {
    for (const controller of this.#controllers.get(slot) ?? []) controller.abort(deadlinePassed(slot.id));
  }
}

function deadlinePassed(id: string): Error {
  return new Error(`Connection '${id}' is disposed of: its drain deadline has passed`);
}
