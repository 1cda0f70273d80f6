import type { ConnectionRecord } from '../contracts/record.js';
import type { Slot } from './state.js';
import type { DrainSignals } from './drain-signals.js';

/**
 * A hold on a live instance. The instance is not disposed of while the lease is held, except after a drain deadline.
 * Release the lease when you are done, or declare it with `using`.
 */
export interface Lease<out R, out I> extends Disposable {
  readonly instance: I;
  /** The row that the instance was created from. */
  readonly record: R;
  /** Superseded by a newer version, a stop, a delete, `retire` or `invalidate`: finish, and take a new lease. */
  readonly stale: boolean;
  /** Aborts only when a drain deadline has passed, just before the instance is disposed of in use. */
  readonly signal: AbortSignal;
  /**
   * Reports that the instance is dead. No later use gets it. This counts as a failure, so the next hydrate waits for the
   * back-off. It does not release the lease.
   */
  retire(cause?: unknown): void;
  /** Ends the lease. Further calls do nothing. */
  release(): void;
}

/** The part of `Slots` that a lease calls. */
export interface LeaseOwner<R extends ConnectionRecord, I> {
  readonly drainSignals: Pick<DrainSignals<R, I>, 'add' | 'remove'>;
  retire(slot: Slot<R, I>, cause: unknown, inUse: boolean): void;
  release(slot: Slot<R, I>): void;
}

/** The lease on a slot. Its maker has counted it already. */
export class SlotLease<R extends ConnectionRecord, I> implements Lease<R, I> {
  readonly instance: I;
  readonly #slot: Slot<R, I>;
  readonly #owner: LeaseOwner<R, I>;
  #held = true;
  #controller: AbortController | undefined = undefined;

  constructor(slot: Slot<R, I>, owner: LeaseOwner<R, I>) {
    this.instance = slot.instance as I;
    this.#slot = slot;
    this.#owner = owner;
  }

  get record(): R {
    return this.#slot.record;
  }

  get stale(): boolean {
    return this.#slot.state.kind !== 'live';
  }

  get signal(): AbortSignal {
    // One signal per lease, because listeners on a shared signal would pile up while the instance lives. After the release
    // the signal never aborts.
    this.#controller ??= this.#held ? this.#owner.drainSignals.add(this.#slot) : new AbortController();
    return this.#controller.signal;
  }

  retire(cause?: unknown): void {
    if (this.#held) this.#owner.retire(this.#slot, cause, true);
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.#controller !== undefined) this.#owner.drainSignals.remove(this.#slot, this.#controller);
    this.#owner.release(this.#slot);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
