import type { ConnectionRecord } from '../contracts/record.js';
import type { ReadWaiter } from './waiters.js';

/** One read of one id: of its version where that may be enough, otherwise of its row. */
export interface Read<R extends ConnectionRecord> {
  readonly id: string;
  kind: 'version' | 'row';
  readonly waiters: ReadWaiter<R>[];
  /** `invalidate` was called while it was on the wire. */
  invalidated: boolean;
  /** `invalidateWhere` was called while it was on the wire: whether its row counts as invalidated. */
  readonly matches: ((record: R) => boolean)[];
  /** Called when its answer has been applied. */
  readonly applied: (() => void)[];
  /** A hint came while it was on the wire: it may not have seen the change. */
  doubtful: boolean;
  /** An instance was disposed of while it was on the wire: it may not have seen what `dispose` wrote. */
  readBeforeDispose: boolean;
  /** The registry asked for it without a waiter, so it is sent even if no caller waits. */
  selfRequested: boolean;
  /** Only unproven waiters want it, so the connection may not exist. */
  unproven: boolean;
  /** When it was sent. Monotonic, milliseconds. */
  sentAt: number;
  /** The lane it waits in, until it is sent. */
  lane: Lane<R> | undefined;
}

/** One query of a lane. It is answered in time, or given up; a query that was given up may still settle. */
export interface Passage {
  answered(): void;
  givenUp(): void;
  /** The store settled it after it had been given up. */
  settledLate(): void;
}

/**
 * Reads that wait to be sent together, and the queries they were sent in.
 *
 * A query that was given up still occupies the store, for example a connection of its pool. It therefore counts against
 * the cap until it settles. At the cap, the lane sends one query at a time. A silent store thus gets one more query per
 * `storeTimeoutMs` instead of `maxQueries` more. The store is back once it answers a query that was sent after the last
 * give-up. Earlier queries then stop counting against the cap, because some drivers never settle them.
 */
export class Lane<R extends ConnectionRecord> {
  readonly kind: 'version' | 'row';
  readonly #maxQueries: number;
  readonly #waiting: Read<R>[] = [];
  /** Index of the first read that was not taken. Shifting the list for each would be quadratic. */
  #first = 0;
  #inFlight = 0;
  /** Given up, and not settled. */
  #abandoned = 0;
  /** The given-up queries that count against the cap. */
  #counted = 0;
  /** Queries given up so far. */
  #givenUp = 0;
  /** The number given up when the store was last seen to be back. Queries given up until then are lost. */
  #lost = 0;

  constructor(kind: 'version' | 'row', maxQueries: number) {
    this.kind = kind;
    this.#maxQueries = maxQueries;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get abandoned(): number {
    return this.#abandoned;
  }

  /** Whether a read is waiting and may be sent now. */
  get isReady(): boolean {
    return this.#first < this.#waiting.length && this.#inFlight < Math.max(1, this.#maxQueries - this.#counted);
  }

  add(read: Read<R>): void {
    read.lane = this;
    this.#waiting.push(read);
  }

  /** The next read. Skips reads that moved to another lane. */
  next(): Read<R> | undefined {
    while (this.#first < this.#waiting.length) {
      const read = this.#waiting[this.#first] as Read<R>;
      this.#first += 1;
      if (read.lane === this) return read;
    }
    this.#waiting.length = 0;
    this.#first = 0;
    return undefined;
  }

  /** Forgets the reads that were taken. */
  compact(): void {
    if (2 * this.#first < this.#waiting.length) return;
    this.#waiting.splice(0, this.#first);
    this.#first = 0;
  }

  /** Counts a query that is being sent. */
  send(): Passage {
    this.#inFlight += 1;
    const before = this.#givenUp;
    let turn = 0;
    return {
      answered: () => {
        this.#inFlight -= 1;
        if (before !== this.#givenUp) return;
        this.#lost = this.#givenUp;
        this.#counted = 0;
      },
      givenUp: () => {
        this.#inFlight -= 1;
        this.#abandoned += 1;
        this.#counted += 1;
        this.#givenUp += 1;
        turn = this.#givenUp;
      },
      settledLate: () => {
        this.#abandoned -= 1;
        if (turn > this.#lost) this.#counted -= 1;
      },
    };
  }
}
