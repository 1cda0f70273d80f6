import type { Backoff } from '../backoff.js';
import type { DisposeReason, InstanceFactory } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import type { ConnectionError } from '../errors.js';
import type { Reader } from '../reads/reader.js';
import type { Slots } from '../slot/slots.js';
import { isHydrating, type Pending, type Slot } from '../slot/state.js';
import { Admission, type FreePermit } from './admission.js';
import { Hydration } from './hydration.js';
import type { Secrets } from './secrets.js';
import type { LeaseWaiter } from './lease-waiter.js';

/**
 * Takes a slot from pending to `create`: waits for a predecessor that must go first, then for a permit. Three
 * things may happen meanwhile: all waiters abort, the row changes (`superseded`), or the registry closes.
 */
export class Hydrator<R extends ConnectionRecord, I> {
  readonly #env: Environment<R, I>;
  readonly #slots: Slots<R, I>;
  readonly #reader: Reader<R>;
  readonly #admission: Admission<Slot<R, I>>;

  constructor(env: Environment<R, I>, slots: Slots<R, I>, reader: Reader<R>, backoff: Backoff, secrets: Secrets<R>) {
    this.#env = env;
    this.#reader = reader;
    this.#slots = slots;
    const { maxConcurrentHydrations, maxQueuedHydrations } = env.options;
    this.#admission = new Admission(maxConcurrentHydrations, maxQueuedHydrations, (slot, free) => {
      // `create` is foreign code: it runs when the step that led to it is complete.
      env.effects.add(() => {
        if (!this.#mayCreate(slot, free)) return;
        env.inOwnContext(() => new Hydration(slot, env, slots, backoff, secrets, free).run());
      });
    });
  }

  get queued(): number {
    return this.#admission.queued;
  }

  isFull(factory: InstanceFactory<R, I>): boolean {
    return this.#admission.isFull(factory, factory.maxConcurrentHydrations);
  }

  start(slot: Slot<R, I>): void {
    const { state, factory } = slot;
    if (state.kind !== 'pending' || this.#deferIfBlocked(slot, state) || this.#rereadIfNeeded(slot, state)) return;
    state.leave = () => this.#admission.leave(slot);
    this.#admission.enter(slot, factory, factory.maxConcurrentHydrations);
  }

  /** A waiter left. When the last one does, by its own signal, the hydrate is given up. */
  left(waiter: LeaseWaiter<R, I>, aborted: { readonly reason: unknown } | undefined): void {
    const { slot } = waiter;
    if (slot === undefined || !isHydrating(slot.state)) return;
    slot.state.waiters.delete(waiter);
    if (slot.state.waiters.size > 0) return;
    if (aborted !== undefined) this.#giveUp(slot, 'unused', aborted.reason);
    else if (slot.state.kind === 'pending' && slot.state.superseded !== undefined) this.#giveUp(slot, 'unused', undefined);
    this.#env.effects.flush();
  }

  /** The deadline of `close` has passed. */
  close(slot: Slot<R, I>, error: ConnectionError): void {
    const { state } = slot;
    if (!isHydrating(state)) return;
    const waiters = [...state.waiters];
    state.waiters.clear();
    this.#giveUp(slot, 'closing', error);
    for (const waiter of waiters) waiter.fail(error);
  }

  /** Called with a permit. Gives it back if an older instance must end first, because that may take long. */
  #mayCreate(slot: Slot<R, I>, free: FreePermit): boolean {
    const { state } = slot;
    if (state.kind === 'pending' && !this.#deferIfBlocked(slot, state) && !this.#rereadIfNeeded(slot, state)) return true;
    free();
    return false;
  }

  /** If an older instance must end first, starts the slot again when it has. Returns whether one must. */
  #deferIfBlocked(slot: Slot<R, I>, pending: Pending<R, I>): boolean {
    if (!this.#isBlocked(slot, pending)) return false;
    this.#slots.departing.onProgress(slot.id, () => this.start(slot));
    return true;
  }

  /**
   * Under 'drain-first' the successor is created from a row that was read after its predecessor had been disposed of. So the
   * callers that waited for this slot wait for the next read. They wait at most once more, because nothing of this connection
   * is left that could be disposed of. Returns whether they do.
   */
  #rereadIfNeeded(slot: Slot<R, I>, pending: Pending<R, I>): boolean {
    if (!pending.readBeforeDispose || !this.#env.isDrainFirst(slot.factory)) return false;
    const waiters = [...pending.waiters] as LeaseWaiter<R, I>[];
    for (const waiter of waiters) {
      waiter.slot = undefined;
      this.#reader.request(slot.id, 'row', waiter);
    }
    this.#slots.beginning.cancel(slot);
    return true;
  }

  /** A create that everyone left must settle first; under 'drain-first' every older instance must be gone. */
  #isBlocked(slot: Slot<R, I>, pending: Pending<R, I>): boolean {
    const drainFirst = this.#env.isDrainFirst(slot.factory);
    for (const other of this.#slots.departing.of(slot.id)) {
      const { state } = other;
      if (state.kind === 'abandoned') {
        if (!state.timedOut && (drainFirst || other.version === slot.version)) return true;
      } else if (isHydrating(state)) {
        if (drainFirst && state.generation < pending.generation) return true;
      } else if (drainFirst) {
        return true;
      }
    }
    return false;
  }

  #giveUp(slot: Slot<R, I>, reason: DisposeReason, cause: unknown): void {
    const slots = this.#slots;
    const { state } = slot;
    if (!isHydrating(state)) return;
    const { fallback } = state;
    // First, so that the connection is never without a slot while there is an instance.
    if (fallback?.state.kind === 'live' && slots.index.get(slot.id) === slot) slots.install(fallback);
    if (state.kind === 'pending') slots.beginning.cancel(slot);
    else slots.beginning.abandon(slot, state, state.superseded?.reason ?? reason, false);
    if (fallback !== undefined) slots.release(fallback);
    // Last, because its listeners are foreign code.
    if (state.kind === 'creating') state.create.abort(cause);
  }
}
