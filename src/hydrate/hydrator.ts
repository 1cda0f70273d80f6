import type { DisposeReason } from '../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { ConnectionError } from '../errors.js';
import type { Slot } from '../slot/slot.js';
import type { Pending } from '../slot/state.js';
import { isThenable } from '../thenable.js';
import { Admission, type FreePermit } from './admission.js';
import { CreateContext } from './context.js';
import type { HydratorHost } from './hydrator-host.js';
import { Outcomes } from './outcomes.js';
import type { LeaseWaiter } from './waiter.js';

/**
 * Takes a slot from pending to live: waits for a predecessor that must go first, then for a permit, then for `create`.
 * What may happen meanwhile: everyone leaves by abort (`abandon`), the row changes (`superseded`), the time runs out,
 * the registry closes. `create` may also settle synchronously, after its time-out, or never.
 */
export class Hydrator<R extends ConnectionRecord, I> {
  readonly outcomes: Outcomes<R, I>;
  readonly #host: HydratorHost<R, I>;
  readonly #admission: Admission<Slot<R, I>>;

  constructor(host: HydratorHost<R, I>) {
    this.#host = host;
    this.outcomes = new Outcomes<R, I>(host);
    this.#admission = new Admission(host.limits.maxConcurrentHydrations, host.limits.maxQueuedHydrations, (slot, free) => {
      // `create` is foreign code: it runs when the step that led to it is complete.
      host.slots.effects.add(() => this.#run(slot, free));
    });
  }

  get queued(): number {
    return this.#admission.queued;
  }

  isFull(record: R): boolean {
    const factory = this.#host.factoryOf(record);
    return this.#admission.isFull(factory, factory.maxConcurrentHydrations);
  }

  /** Starts a pending slot. */
  start(slot: Slot<R, I>): void {
    if (slot.state.kind !== 'pending') return;
    if (this.#mustWait(slot, slot.state)) {
      this.#host.slots.departing.onProgress(slot.id, () => this.start(slot));
      return;
    }
    const factory = this.#host.factoryOf(slot.record);
    this.#admission.enter(slot, factory, factory.maxConcurrentHydrations);
  }

  /** A waiter left. When the last one does, by its own signal, the hydrate is given up. */
  left(waiter: LeaseWaiter<R, I>, aborted: { readonly reason: unknown } | undefined): void {
    const { slot } = waiter;
    if (slot === undefined || (slot.state.kind !== 'pending' && slot.state.kind !== 'creating')) return;
    slot.state.waiters.delete(waiter);
    if (slot.state.waiters.size > 0) return;
    if (aborted !== undefined) this.#giveUp(slot, 'unused', aborted.reason);
    else if (slot.state.kind === 'pending' && slot.state.superseded !== undefined) this.#giveUp(slot, 'unused', undefined);
    this.#host.slots.effects.flush();
  }

  /** The deadline of `close` has passed. */
  close(slot: Slot<R, I>, error: ConnectionError): void {
    const { state } = slot;
    if (state.kind === 'pending' || state.kind === 'creating') {
      const waiters = [...state.waiters];
      state.waiters.clear();
      this.#giveUp(slot, 'closing', error);
      for (const waiter of waiters) waiter.fail(error);
    }
  }

  /** A slot is gone. */
  departed(slot: Slot<R, I>): void {
    this.#admission.leave(slot);
  }

  /** A create that everyone left must settle first; under 'drain-first' every older instance must be gone. */
  #mustWait(slot: Slot<R, I>, pending: Pending<R, I>): boolean {
    const drainFirst = this.#host.replacementOf(slot.record) === 'drain-first';
    for (const other of this.#host.slots.departing.of(slot.id)) {
      const { state } = other;
      if (state.kind === 'abandoned') {
        if (!state.timedOut && (drainFirst || other.version === slot.version)) return true;
      } else if (state.kind === 'pending' || state.kind === 'creating') {
        if (drainFirst && state.generation < pending.generation) return true;
      } else if (drainFirst) {
        return true;
      }
    }
    return false;
  }

  /** With a permit. */
  #run(slot: Slot<R, I>, free: FreePermit): void {
    const { slots } = this.#host;
    if (slot.state.kind !== 'pending') return free();
    if (this.#mustWait(slot, slot.state)) {
      // An older generation began to go while this one was queued: hand the permit back rather than sit on it.
      slots.departing.onProgress(slot.id, () => this.start(slot));
      return free();
    }
    const context = new CreateContext(slots, slot);
    slots.creating(slot, slot.state, context);
    let result: Awaitable<I>;
    let pending: PromiseLike<I> | undefined;
    try {
      result = this.#create(slot, context);
      // In here, for a proxy may throw when it is asked for `then`.
      if (isThenable(result)) pending = result as PromiseLike<I>;
    } catch (error) {
      this.outcomes.failed(slot, context, error);
      return free();
    }
    if (pending !== undefined) return this.#outcome(slot, context, pending, free);
    this.outcomes.created(slot, context, result as I);
    free();
  }

  #create(slot: Slot<R, I>, context: CreateContext<Slot<R, I>>): Awaitable<I> {
    const { record } = slot;
    const secrets = this.#host.secretsOf(record);
    if (!isThenable(secrets)) {
      context.secrets = secrets;
      return this.#host.create(record, context);
    }
    return Promise.resolve(secrets).then((resolved) => {
      // Given up while the secrets were fetched: nothing was created, and nothing is to be.
      if (slot.state.kind !== 'creating') throw new Error('unused');
      context.secrets = resolved;
      return this.#host.create(record, context);
    });
  }

  /** The permit is held until `create` has settled, or until its time is up. */
  #outcome(slot: Slot<R, I>, context: CreateContext<Slot<R, I>>, result: PromiseLike<I>, free: FreePermit): void {
    const { clock, limits: { hydrationTimeoutMs } } = this.#host;
    const cancelTimeout = hydrationTimeoutMs === Infinity ? undefined : clock.setTimeout(() => {
      this.outcomes.timedOut(slot, hydrationTimeoutMs);
      free();
    }, hydrationTimeoutMs, { ref: true });
    const failed = (error: unknown): void => {
      cancelTimeout?.();
      this.outcomes.failed(slot, context, error);
      free();
    };
    try {
      Promise.resolve(result).then((instance) => {
        cancelTimeout?.();
        this.outcomes.created(slot, context, instance);
        free();
      }, failed);
    } catch (error) {
      // A promise may have a `then` of its own that throws.
      failed(error);
    }
  }

  #giveUp(slot: Slot<R, I>, reason: DisposeReason, cause: unknown): void {
    const { slots } = this.#host;
    const { state } = slot;
    if (state.kind !== 'pending' && state.kind !== 'creating') return;
    const { fallback } = state;
    // First, so that the connection is never without a slot while there is an instance.
    if (fallback?.state.kind === 'live' && slots.index.get(slot.id) === slot) slots.install(fallback);
    if (state.kind === 'pending') slots.cancel(slot);
    else slots.abandon(slot, state, state.superseded?.reason ?? reason, false);
    if (fallback !== undefined) slots.release(fallback);
    // Last, for its listeners are foreign code.
    if (state.kind === 'creating') state.create.abort(cause);
  }
}
