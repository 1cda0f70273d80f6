import type { ConnectionRecord } from '../contracts/record.js';
import type { ConnectionError } from '../errors.js';
import type { Slot } from '../slot/state.js';

/** The result of a read for a webhook that is not authenticated yet and must see the row first. */
export interface Found<R extends ConnectionRecord, I = unknown> {
  /** The slot of the row. It may be superseded already, or may be when an instance of it is wanted. */
  readonly slot: Slot<R, I>;
  /** When the read was sent. Monotonic, milliseconds. */
  readonly sentAt: number;
  /** Called when it is no longer needed. */
  letGo(): void;
}

/** A caller that waits for the answer to a read. */
export interface ReadWaiter<R extends ConnectionRecord> {
  readonly settled: boolean;
  /** Set for background checks. They do not keep an idle instance while the registry closes. */
  readonly background?: true;
  /** Set for a stranger's id that has no slot. It may not exist, so its read must not delay the reads of others. */
  readonly unproven?: boolean;
  fail(error: ConnectionError): void;
  /** Called when the read has ended, or is not sent, after this waiter had left. */
  over?(): void;
  /** Set if only the row is wanted. A waiter for a lease is passed on to a slot instead. */
  found?(found: Found<R, any>): void;
}

/** A caller that wants only the row: a webhook that is not authenticated yet. */
export class RowWaiter<R extends ConnectionRecord, I> implements ReadWaiter<R> {
  readonly promise: Promise<Found<R, I>>;
  #settled = false;
  readonly unproven: boolean;
  readonly #gone: () => boolean;
  #resolve!: (found: Found<R, I>) => void;
  #reject!: (error: unknown) => void;

  /**
   * @param unproven - the id has no slot, so it may not exist
   * @param gone - whether it has been answered otherwise meanwhile
   */
  constructor(unproven: boolean, gone: () => boolean) {
    this.unproven = unproven;
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

/** A background check. It is told when the answer has come, or the error, and gets no row. */
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

/** A read has ended, or is not sent. Only now are the places of waiters that had left it free. */
export function tellThoseWhoLeft(waiters: readonly ReadWaiter<any>[]): void {
  for (const waiter of waiters) if (waiter.settled) waiter.over?.();
}
