import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import type { Slot } from './state.js';

/** The signals behind `context.superseded`. Only slots whose signal was asked for have one. */
export class SupersessionSignals<R extends ConnectionRecord, I> {
  readonly #env: Environment<R, I>;
  readonly #controllers = new WeakMap<Slot<R, I>, AbortController>();
  #closing = false;

  constructor(env: Environment<R, I>) {
    this.#env = env;
  }

  of(slot: Slot<R, I>): AbortSignal {
    let controller = this.#controllers.get(slot);
    if (controller === undefined) {
      controller = new AbortController();
      this.#controllers.set(slot, controller);
      if (this.#closing || !isWanted(slot)) controller.abort(superseded(slot.id));
    }
    return controller.signal;
  }

  /** The next use must not get this slot's instance. Listeners are user code, so they run after the step. */
  abort(slot: Slot<R, I>): void {
    const controller = this.#controllers.get(slot);
    if (controller === undefined || controller.signal.aborted) return;
    this.#env.effects.add(() => this.#env.inOwnContext(() => controller.abort(superseded(slot.id))));
  }

  /** `close` was called: aborts the signals of all slots, and of those to come. */
  close(slots: Iterable<Slot<R, I>>): void {
    this.#closing = true;
    for (const slot of slots) this.abort(slot);
  }
}

function isWanted({ state }: Slot<any, any>): boolean {
  return state.kind === 'live' || (state.kind === 'creating' && state.superseded === undefined);
}

function superseded(id: string): Error {
  return new Error(`Connection '${id}' was superseded: its instance is not handed out again`);
}
