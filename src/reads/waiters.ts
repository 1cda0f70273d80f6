import type { ConnectionRecord } from '../contracts/record.js';
import type { ConnectionError } from '../errors.js';
import type { Slot } from '../slot/state.js';

/** What a read found, for somebody who must look at the row first: a webhook that is not authenticated yet. */
export interface Found<R extends ConnectionRecord, I = unknown> {
  /** What stands for the row. It may have been outdated from the first, or be by the time an instance of it is wanted. */
  readonly slot: Slot<R, I>;
  /** When the read was sent. Monotonic, milliseconds. */
  readonly sentAt: number;
  /** Says that nobody looks at it any more. */
  letGo(): void;
}

/** Someone who waits for a read to be answered. */
export interface ReadWaiter<R extends ConnectionRecord> {
  readonly settled: boolean;
  /** Nobody's use: it does not keep an idle instance from going while the registry closes. */
  readonly background?: true;
  /** Anybody may have sent it, for an id that may not exist: it must not delay the reads of others. */
  readonly stranger?: boolean;
  fail(error: ConnectionError): void;
  /** Called when the read has ended, or is not sent, after this waiter had left. */
  over?(): void;
  /** Present on who wants only the row. Who wants a lease is handed on to a slot instead. */
  found?(found: Found<R, any>): void;
}

/** Someone who wants only the row: a webhook that is not authenticated yet. */
export class RecordWaiter<R extends ConnectionRecord, I> implements ReadWaiter<R> {
  readonly promise: Promise<Found<R, I>>;
  #settled = false;
  readonly stranger: boolean;
  readonly #gone: () => boolean;
  #resolve!: (found: Found<R, I>) => void;
  #reject!: (error: unknown) => void;

  /**
   * @param stranger - nothing is known of the connection yet
   * @param gone - whether it has been answered otherwise meanwhile
   */
  constructor(stranger: boolean, gone: () => boolean) {
    this.stranger = stranger;
    this.#gone = gone;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get settled(): boolean {
    return this.#settled || this.#gone();
  }

  found(found: Found<R, I>): void {
    this.#settled = true;
    this.#resolve(found);
  }

  fail(error: ConnectionError): void {
    this.#settled = true;
    this.#reject(error);
  }

  over(): void {
    this.#reject(new Error('It left before the answer came.'));
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

/** A read has ended, or is not sent. The places of those who left it are free only now. */
export function tellThoseWhoLeft(waiters: readonly ReadWaiter<any>[]): void {
  for (const waiter of waiters) if (waiter.settled) waiter.over?.();
}
