import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { ConnectionError } from '../errors.js';
import type { ReadWaiter } from '../reads/waiters.js';
import type { Lease } from '../slot/lease.js';
import { obstacle } from '../slot/obstacle.js';
import type { Slot } from '../slot/slot.js';
import type { Slots } from '../slot/slots.js';
import type { SlotWaiter } from '../slot/state.js';

/** What a use asks for. */
export interface LeaseDemand {
  readonly id: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A use that has no lease yet. It waits for a read, then for a slot, and leaves in one of four ways. */
export class LeaseWaiter<R extends ConnectionRecord, I> implements SlotWaiter<R, I>, ReadWaiter<R> {
  readonly promise: Promise<Lease<R, I>>;
  settled = false;
  /** The slot it has joined, or has a lease on. */
  slot: Slot<R, I> | undefined = undefined;
  readonly #slots: Slots<R, I>;
  readonly #left: (waiter: LeaseWaiter<R, I>, aborted: { readonly reason: unknown } | undefined) => void;
  readonly #settled: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #cancelTimeout: (() => void) | undefined;
  readonly #onAbort: (() => void) | undefined;
  #resolve!: (lease: Lease<R, I>) => void;
  #reject!: (error: unknown) => void;

  /**
   * @param left - told when it leaves of its own accord: by its own signal, which has this reason, or by its timeout
   * @param settled - told when it waits no more, whatever came of it
   */
  constructor(
    { id, timeoutMs, signal }: LeaseDemand, env: Environment<R, I>, slots: Slots<R, I>,
    left: (waiter: LeaseWaiter<R, I>, aborted: { readonly reason: unknown } | undefined) => void, settled: () => void,
  ) {
    this.#slots = slots;
    this.#left = left;
    this.#settled = settled;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#cancelTimeout = timeoutMs === Infinity ? undefined : env.clock.setTimeout(() => {
      const message = `Connection '${id}' was not available within ${timeoutMs} ms: ${obstacle(env, slots, this.slot)}`;
      this.#leave(new ConnectionError('ACQUIRE_TIMEOUT', message, { connectionId: id }), undefined);
    }, timeoutMs, { ref: true });
    this.#signal = signal;
    if (signal !== undefined) {
      this.#onAbort = () => this.#leave(signal.reason, { reason: signal.reason });
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  deliver(slot: Slot<R, I>): void {
    this.slot = slot;
    this.#settle();
    this.#resolve(this.#slots.handOver(slot));
    this.#settled();
  }

  fail(error: ConnectionError): void {
    this.#settle();
    this.#reject(error);
    this.#settled();
  }

  /** Out of its slot before anybody is told: what that sets going must not find it there. */
  #leave(error: unknown, aborted: { readonly reason: unknown } | undefined): void {
    this.#settle();
    this.#reject(error);
    this.#left(this, aborted);
    this.#settled();
  }

  #settle(): void {
    this.settled = true;
    this.#cancelTimeout?.();
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}
