import type { ConnectionRecord } from '../contracts/record.js';
import type { Slot } from './state.js';

/** The controllers behind `lease.signal`, which aborts after a drain deadline. Only leases whose signal was read have one. */
export class DrainSignals<R extends ConnectionRecord, I> {
  readonly #controllers = new WeakMap<Slot<R, I>, Set<AbortController>>();

  /** A controller for one lease on this slot. */
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

  /** The instance is about to be disposed of while it is still leased. */
  abort(slot: Slot<R, I>): void {
    for (const controller of this.#controllers.get(slot) ?? []) controller.abort(deadlinePassed(slot.id));
  }
}

function deadlinePassed(id: string): Error {
  return new Error(`Connection '${id}' is disposed of: its drain deadline has passed`);
}
