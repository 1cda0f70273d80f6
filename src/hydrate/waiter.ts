import type { Clock } from '../clock.js';
import type { ConnectionRecord } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import type { Lease } from '../slot/lease.js';
import type { Slot } from '../slot/slot.js';
import type { SlotWaiter } from '../slot/state.js';

/** A row as a read found it. */
export interface Found<R extends ConnectionRecord> {
  readonly record: R;
  /** When the read was sent. Monotonic, milliseconds. */
  readonly sentAt: number;
  /** The store did not answer (`staleIfErrorMs`): the instance made of it may serve on, but no other is to be made. */
  readonly unconfirmed?: true;
}

/** Someone who waits for a read to be answered. */
export interface ReadWaiter<R extends ConnectionRecord> {
  readonly settled: boolean;
  /** Nobody's use: it does not keep an idle instance from going while the registry closes. */
  readonly background?: true;
  fail(error: ConnectionError): void;
  /** Present on who wants only the row. Who wants a lease is handed on to a slot instead. */
  found?(found: Found<R>): void;
}

/** Someone who wants only the row: a webhook that is not authenticated yet. */
export class RecordWaiter<R extends ConnectionRecord> implements ReadWaiter<R> {
  readonly promise: Promise<Found<R>>;
  #settled = false;
  readonly #gone: () => boolean;
  #resolve!: (found: Found<R>) => void;
  #reject!: (error: unknown) => void;

  /** @param gone - whether it has been answered otherwise meanwhile */
  constructor(gone: () => boolean) {
    this.#gone = gone;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get settled(): boolean {
    return this.#settled || this.#gone();
  }

  found(found: Found<R>): void {
    this.#settled = true;
    this.#resolve(found);
  }

  fail(error: ConnectionError): void {
    this.#settled = true;
    this.#reject(error);
  }
}

/** A check in the background: it wants to know only when, and whether, the answer came. */
export class BackgroundWaiter<R extends ConnectionRecord> implements ReadWaiter<R> {
  readonly background = true;
  settled = false;
  readonly #done: (error?: ConnectionError) => void;

  constructor(done: (error?: ConnectionError) => void) {
    this.#done = done;
  }

  found(): void {
    this.settled = true;
    this.#done();
  }

  fail(error: ConnectionError): void {
    this.settled = true;
    this.#done(error);
  }
}

/** What a use asks for. */
export interface LeaseDemand {
  readonly id: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Whom a use that waits belongs to. */
export interface LeaseWaiterHost<R extends ConnectionRecord, I> {
  readonly clock: Clock;
  /** Makes the lease of a hold that was counted already. */
  handOver(slot: Slot<R, I>): Lease<R, I>;
  /** It left of its own accord: by its own signal, which has this reason, or by its timeout. */
  left(waiter: LeaseWaiter<R, I>, aborted: { readonly reason: unknown } | undefined): void;
  /** It waits no more, whatever came of it. */
  settled(): void;
}

/** A use that has no lease yet. It waits for a read, then for a slot, and leaves in one of four ways. */
export class LeaseWaiter<R extends ConnectionRecord, I> implements SlotWaiter<R, I>, ReadWaiter<R> {
  readonly promise: Promise<Lease<R, I>>;
  settled = false;
  /** The slot it has joined. */
  slot: Slot<R, I> | undefined = undefined;
  readonly #host: LeaseWaiterHost<R, I>;
  readonly #signal: AbortSignal | undefined;
  readonly #cancelTimeout: (() => void) | undefined;
  readonly #onAbort: (() => void) | undefined;
  #resolve!: (lease: Lease<R, I>) => void;
  #reject!: (error: unknown) => void;

  constructor({ id, timeoutMs, signal }: LeaseDemand, host: LeaseWaiterHost<R, I>) {
    this.#host = host;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#cancelTimeout = timeoutMs === Infinity ? undefined : host.clock.setTimeout(() => {
      this.#leave(new ConnectionError('ACQUIRE_TIMEOUT', `Connection '${id}' was not available within ${timeoutMs} ms`, { connectionId: id }), undefined);
    }, timeoutMs, { ref: true });
    this.#signal = signal;
    if (signal !== undefined) {
      this.#onAbort = () => this.#leave(signal.reason, { reason: signal.reason });
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  deliver(slot: Slot<R, I>): void {
    this.#settle();
    this.#resolve(this.#host.handOver(slot));
    this.#host.settled();
  }

  fail(error: ConnectionError): void {
    this.#settle();
    this.#reject(error);
    this.#host.settled();
  }

  /** Out of its slot before anybody is told: what that sets going must not find it there. */
  #leave(error: unknown, aborted: { readonly reason: unknown } | undefined): void {
    this.#settle();
    this.#reject(error);
    this.#host.left(this, aborted);
    this.#host.settled();
  }

  #settle(): void {
    this.settled = true;
    this.#cancelTimeout?.();
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}
