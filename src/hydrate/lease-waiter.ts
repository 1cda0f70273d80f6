import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { ConnectionError } from '../errors.js';
import type { InstanceFactory } from '../contracts/factory.js';
import type { ReadWaiter } from '../reads/waiters.js';
import type { Lease } from '../slot/lease.js';
import { obstacle } from '../slot/obstacle.js';
import type { Slot } from '../slot/state.js';
import type { Slots } from '../slot/slots.js';
import type { SlotWaiter } from '../slot/state.js';
import { whenAborted } from '../when-aborted.js';
import { otherPlatform } from './refusals.js';

/** The options of a use. */
export interface LeaseDemand {
  readonly id: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Set for a webhook: the factory that authenticated it. No other factory's instance will do. */
  readonly factory?: InstanceFactory<any, any> | undefined;
}

/** A use that has no lease yet. It waits for a read, then for a slot, and leaves in one of four ways. */
export class LeaseWaiter<R extends ConnectionRecord, I> implements SlotWaiter<R, I>, ReadWaiter<R> {
  readonly promise: Promise<Lease<R, I>>;
  settled = false;
  /** The slot it has joined, or has a lease on. */
  slot: Slot<R, I> | undefined = undefined;
  readonly #demand: LeaseDemand;
  readonly #slots: Slots<R, I>;
  readonly #onLeft: (waiter: LeaseWaiter<R, I>, aborted: { readonly reason: unknown } | undefined) => void;
  readonly #onSettled: () => void;
  readonly #cancelTimeout: (() => void) | undefined;
  readonly #forgetSignal: (() => void) | undefined;
  #resolve!: (lease: Lease<R, I>) => void;
  #reject!: (error: unknown) => void;

  /**
   * @param onLeft - called when it leaves by its own signal, which has this reason, or by its timeout
   * @param onSettled - called when it stops waiting, with any result
   */
  constructor(
    demand: LeaseDemand, env: Environment<R, I>, slots: Slots<R, I>,
    onLeft: (waiter: LeaseWaiter<R, I>, aborted: { readonly reason: unknown } | undefined) => void, onSettled: () => void,
  ) {
    const { id, timeoutMs, signal } = demand;
    this.#demand = demand;
    this.#slots = slots;
    this.#onLeft = onLeft;
    this.#onSettled = onSettled;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#cancelTimeout = timeoutMs === Infinity ? undefined : env.clock.setTimeout(() => {
      const message = `Connection '${id}' was not available within ${timeoutMs} ms: ${obstacle(env, slots, this.slot)}`;
      this.#leave(new ConnectionError('ACQUIRE_TIMEOUT', message, { connectionId: id }), undefined);
    }, timeoutMs, { ref: true });
    if (signal !== undefined)
      this.#forgetSignal = whenAborted(signal, () => this.#leave(signal.reason, { reason: signal.reason }));
  }

  /** Says why this waiter may not have an instance of that factory, if so. */
  refusalBy(factory: InstanceFactory<R, I>): ConnectionError | undefined {
    const { id, factory: demanded } = this.#demand;
    return demanded === undefined || demanded === factory ? undefined : otherPlatform(id);
  }

  deliver(slot: Slot<R, I>): void {
    this.slot = slot;
    this.#settle();
    this.#resolve(this.#slots.handOver(slot));
    this.#onSettled();
  }

  fail(error: ConnectionError): void {
    this.#settle();
    this.#reject(error);
    this.#onSettled();
  }

  /** Leaves its slot before any callback runs, because a callback must not find it there. */
  #leave(error: unknown, aborted: { readonly reason: unknown } | undefined): void {
    this.#settle();
    this.#reject(error);
    this.#onLeft(this, aborted);
    this.#onSettled();
  }

  #settle(): void {
    this.settled = true;
    this.#cancelTimeout?.();
    this.#forgetSignal?.();
  }
}

/** Whether a waiter for a read waits for a lease. Any other wants only the row. */
export function wantsLease<R extends ConnectionRecord, I>(waiter: ReadWaiter<R>): waiter is LeaseWaiter<R, I> {
  return waiter.found === undefined;
}
