import type { Clock } from '../clock.js';
import type { DisposeReason } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { Departing } from './departing.js';
import type { Ending } from './ending.js';
import type { Abandoned, Creating, Pending, RunningCreate, Seen, Slot, Supersession } from './state.js';
import type { SupersessionSignals } from './supersession-signals.js';

/** The life of a slot until it has an instance: seen, pending, creating, and the ways to fail. See `state.ts`. */
export class Beginning<R extends ConnectionRecord, I> {
  readonly #clock: Clock;
  readonly #departing: Departing<R, I>;
  readonly #ending: Ending<R, I>;
  readonly #supersessionSignals: SupersessionSignals<R, I>;
  #generations = 0;

  constructor(
    clock: Clock,
    departing: Departing<R, I>,
    ending: Ending<R, I>,
    supersessionSignals: SupersessionSignals<R, I>,
  ) {
    this.#clock = clock;
    this.#departing = departing;
    this.#ending = ending;
    this.#supersessionSignals = supersessionSignals;
  }

  /** A webhook looks at the row and may want an instance of it. Returns the function that ends this. */
  look(slot: Slot<R, I>): () => void {
    if (slot.state.kind === 'seen') slot.state.holders += 1;
    return () => {
      if (slot.state.kind !== 'seen') return;
      slot.state.holders -= 1;
      if (slot.state.holders === 0) this.cancel(slot);
    };
  }

  /** seen → pending: a use is entitled to an instance. */
  toPending(slot: Slot<R, I>, superseded: Supersession | undefined = undefined): Pending<R, I> {
    const { readBeforeDispose } = slot.state as Seen;
    const state: Pending<R, I> = {
      kind: 'pending',
      generation: this.#generations++,
      waiters: new Set(),
      fallback: undefined,
      superseded,
      readBeforeDispose,
      leave: undefined,
    };
    slot.state = state;
    return state;
  }

  /** pending → creating */
  toCreating(slot: Slot<R, I>, state: Pending<R, I>, create: RunningCreate): void {
    const { generation, waiters, fallback, superseded } = state;
    slot.state = { kind: 'creating', generation, waiters, fallback, superseded, create, startedAt: this.#clock.monotonic() };
  }

  /** creating or abandoned → disposing → disposed: there is no instance, but `create` may have registered clean-ups. */
  fail(slot: Slot<R, I>, state: Creating<R, I> | Abandoned): void {
    this.#ending.dispose(slot, state.create.cleanUps, undefined);
  }

  /** creating or abandoned → disposing → disposed, with an instance that serves no use. */
  discard(slot: Slot<R, I>, create: RunningCreate, instance: I, supersession: Supersession): void {
    slot.instance = instance;
    this.#ending.dispose(slot, create.cleanUps, supersession);
  }

  /** seen or pending → disposed: nothing was created. */
  cancel(slot: Slot<R, I>): void {
    if (slot.state.kind === 'pending') slot.state.leave?.();
    this.#ending.toDisposed(slot);
  }

  /** creating → abandoned: `create` is still running, but no caller waits. */
  abandon(slot: Slot<R, I>, { create }: Creating<R, I>, reason: DisposeReason, timedOut: boolean): void {
    this.#supersessionSignals.abort(slot);
    slot.state = { kind: 'abandoned', create, reason, timedOut };
    this.#departing.add(slot);
    this.#departing.progressed(slot.id);
  }

  /** Successors no longer wait for this slot's `create`. */
  noLongerAwaited(slot: Slot<R, I>, state: Abandoned): void {
    state.timedOut = true;
    this.#departing.progressed(slot.id);
  }
}
