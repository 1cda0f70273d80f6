import { onMicrotask, type Clock } from '../clock.js';
import type { ConnectionRecord, Version } from '../contracts/record.js';
import type { ConnectionStore, StoreReadOptions } from '../contracts/store.js';
import { isConnectionError } from '../errors.js';
import type { ReadWaiter } from './waiter.js';

/*
 * The rule: at most one read of an id is outstanding, whoever wants it, and a use attaches to the next read not yet
 * sent, never to one on the wire, which may have been answered before the use began. Answers after the time-out are
 * dropped, so the order in which reads of an id are sent is the order in which their answers count.
 */

/** One read of one id: of its version where that may be enough, else of its row. */
export interface Read<R extends ConnectionRecord> {
  readonly id: string;
  kind: 'version' | 'row';
  readonly waiters: ReadWaiter<R>[];
  /** `invalidate` was called while it was on the wire. */
  flagged: boolean;
  /** A hint came while it was on the wire: it may not have seen the change. */
  doubtful: boolean;
  /** Asked for by nobody who waits, so it is sent though nobody does. */
  hinted: boolean;
  /** When it was sent. Monotonic, milliseconds. */
  sentAt: number;
}

/** What the store said. */
export type Answer =
  | { readonly kind: 'version'; readonly version: string | undefined }
  | { readonly kind: 'row'; readonly row: unknown }
  | { readonly kind: 'failed'; readonly error: unknown };

/** What the reads need to know of the registry they belong to. */
export interface FreshnessHost<R extends ConnectionRecord> {
  readonly clock: Clock;
  readonly store: ConnectionStore<ConnectionRecord>;
  readonly storeTimeoutMs: number;
  /** Applies an answer in one synchronous step, or returns a promise when the row must be parsed asynchronously. */
  apply(read: Read<R>, answer: Answer): Promise<void> | undefined;
  /** A query failed, whatever reads it carried. */
  failed(error: unknown): void;
}

interface Reads<R extends ConnectionRecord> { wire: Read<R> | undefined; next: Read<R> | undefined }

/** At most so many ids in one query of versions, and of rows. */
const MAX_VERSIONS = 1_000;
const MAX_ROWS = 100;
/** Queries of rows on the wire at a time. Of versions there is one, so that what arrives meanwhile shares the next. */
const MAX_ROW_QUERIES = 32;
/** Those that check what lives have places of their own: any number of strangers' ids stand in nobody's way. */
const MAX_CHECK_QUERIES = 32;

/** All reads of the store: one per id at a time, in batches, in bounded number. */
export class FreshnessReader<R extends ConnectionRecord> {
  readonly #host: FreshnessHost<R>;
  readonly #reads = new Map<string, Reads<R>>();
  readonly #versionQueue = new Set<string>();
  readonly #rowQueue = new Set<string>();
  /** Rows of what lives, where the store cannot tell versions alone. */
  readonly #checkQueue = new Set<string>();
  #versionQueries = 0;
  #rowQueries = 0;
  #checkQueries = 0;
  #sending = false;
  #closing = false;
  readonly #sendWaiting = (): void => {
    this.#sending = false;
    this.#send();
  };

  constructor(host: FreshnessHost<R>) {
    this.#host = host;
  }

  /** Whether someone waits for a read of this id. */
  isAwaited(id: string): boolean {
    const reads = this.#reads.get(id);
    return hasWaiter(reads?.wire) || hasWaiter(reads?.next);
  }

  /**
   * Asks for the next read of this id.
   *
   * @param kind - `'version'` where an instance is there that the same version would confirm
   * @param waiter - none in the background
   */
  request(id: string, kind: 'version' | 'row', waiter?: ReadWaiter<R>): void {
    let reads = this.#reads.get(id);
    if (reads === undefined) this.#reads.set(id, reads = { wire: undefined, next: undefined });
    if (reads.next === undefined) {
      reads.next = { id, kind, waiters: waiter === undefined ? [] : [waiter], flagged: false, doubtful: false, hinted: false, sentAt: 0 };
    } else {
      if (kind === 'row') reads.next.kind = 'row';
      if (waiter !== undefined) reads.next.waiters.push(waiter);
    }
    if (waiter === undefined) reads.next.hinted = true;
    if (reads.wire === undefined) this.#enqueue(reads.next);
  }

  /** A hint came for this id. Returns whether a read of it is on the wire, whose answer may be too old to know. */
  doubt(id: string): boolean {
    const wire = this.#reads.get(id)?.wire;
    if (wire !== undefined) wire.doubtful = true;
    return wire !== undefined;
  }

  /** From now on nothing is read for nobody: the store may be closed as soon as the registry is. */
  stopBackground(): void {
    this.#closing = true;
  }

  /** The read that is on the wire rests on a state that no longer counts. */
  flag(id: string): void {
    const wire = this.#reads.get(id)?.wire;
    if (wire !== undefined) wire.flagged = true;
  }

  /** Everyone who waits for a read. */
  *waiters(): Iterable<ReadWaiter<R>> {
    for (const { wire, next } of this.#reads.values()) {
      if (wire !== undefined) yield* wire.waiters;
      if (next !== undefined) yield* next.waiters;
    }
  }

  #enqueue(next: Read<R>): void {
    const { store } = this.#host;
    const checks = next.kind === 'version';
    if (checks && store.getVersions !== undefined) {
      this.#versionQueue.add(next.id);
    } else {
      next.kind = 'row';
      this.#versionQueue.delete(next.id);
      if (checks) this.#checkQueue.add(next.id);
      else if (!this.#checkQueue.has(next.id)) this.#rowQueue.add(next.id);
    }
    if (this.#sending) return;
    this.#sending = true;
    // Uses of the same turn share the query.
    onMicrotask(this.#sendWaiting);
  }

  #send(): void {
    const { store } = this.#host;
    while (this.#versionQueue.size > 0 && this.#versionQueries === 0) {
      this.#queryNext(this.#versionQueue, MAX_VERSIONS, 'version');
    }
    const perQuery = store.getMany === undefined ? 1 : MAX_ROWS;
    while (this.#checkQueue.size > 0 && this.#checkQueries < MAX_CHECK_QUERIES) {
      this.#queryNext(this.#checkQueue, perQuery, 'check');
    }
    while (this.#rowQueue.size > 0 && this.#rowQueries < MAX_ROW_QUERIES) {
      this.#queryNext(this.#rowQueue, perQuery, 'row');
    }
  }

  #queryNext(queue: Set<string>, most: number, lane: 'version' | 'check' | 'row'): void {
    const reads = this.#take(queue, most);
    if (reads.length > 0) this.#query(reads, lane);
  }

  #take(queue: Set<string>, most: number): Read<R>[] {
    const sentAt = this.#host.clock.monotonic();
    const taken: Read<R>[] = [];
    for (const id of queue) {
      queue.delete(id);
      const reads = this.#reads.get(id) as Reads<R>;
      const read = reads.next as Read<R>;
      reads.next = undefined;
      // Everyone who wanted it has left: after a flood the reads of who gave up long ago would delay all others.
      if (this.#closing ? !hasWaiter(read) : !read.hinted && read.waiters.every((waiter) => waiter.settled)) {
        this.#reads.delete(id);
        continue;
      }
      reads.wire = read;
      read.sentAt = sentAt;
      if (taken.push(read) === most) break;
    }
    return taken;
  }

  #query(reads: Read<R>[], lane: 'version' | 'check' | 'row'): void {
    const { clock, storeTimeoutMs } = this.#host;
    const options = new ReadOptions();
    let over = false;
    this.#count(lane, 1);
    const end = (answerOf: (read: Read<R>) => Answer): void => {
      if (over) return;
      over = true;
      cancelTimeout?.();
      this.#count(lane, -1);
      for (const read of reads) this.#answer(read, this.#answerTo(read, answerOf));
      this.#send();
    };
    const fail = (error: unknown): void => {
      if (over) return;
      this.#host.failed(error);
      end(() => ({ kind: 'failed', error }));
    };
    const cancelTimeout = storeTimeoutMs === Infinity ? undefined : clock.setTimeout(() => {
      const error = new Error(`the store has not answered within storeTimeoutMs (${storeTimeoutMs} ms)`);
      fail(error);
      options.abort(error);
    }, storeTimeoutMs, { ref: true });

    try {
      this.#ask(reads, lane === 'version' ? 'version' : 'row', options, end, fail);
    } catch (error) {
      // Not within this one, for the query that follows a failed one may throw as well.
      onMicrotask(() => fail(error));
    }
  }

  /** One query. Tells `end` how to find the answer of each read. */
  #ask(
    reads: readonly Read<R>[], kind: 'version' | 'row', options: ReadOptions,
    end: (answerOf: (read: Read<R>) => Answer) => void, fail: (error: unknown) => void,
  ): void {
    const { store } = this.#host;
    const [first] = reads as [Read<R>];
    if (kind === 'row' && reads.length === 1) {
      Promise.resolve(store.get(first.id, options)).then(
        (row) => end(() => ({ kind: 'row', row })),
        (error: unknown) => {
          // A row that cannot be read is that row's trouble, not the store's.
          if (isConnectionError(error, 'INVALID_RECORD')) end(() => ({ kind: 'row', row: error }));
          else fail(error);
        },
      );
      return;
    }
    const ids = reads.map((read) => read.id);
    if (kind === 'row') {
      Promise.resolve(store.getMany?.(ids, options)).then((rows): (read: Read<R>) => Answer => {
        const found = asMap(rows, 'getMany');
        return ({ id }) => ({ kind: 'row', row: found.get(id) });
      }).then(end, fail);
      return;
    }
    Promise.resolve(store.getVersions?.(ids, options)).then((versions): (read: Read<R>) => Answer => {
      const found = asMap<Version>(versions, 'getVersions');
      return ({ id }) => {
        const version = found.get(id);
        return { kind: 'version', version: version === undefined || version === null ? undefined : String(version) };
      };
    }).then(end, fail);
  }

  #answer(read: Read<R>, answer: Answer): void {
    const applied = this.#host.apply(read, answer);
    if (applied === undefined) this.#done(read);
    else void applied.then(() => { this.#done(read); this.#send(); });
  }

  /** A map of the store's own making may throw when it is asked. */
  #answerTo(read: Read<R>, answerOf: (read: Read<R>) => Answer): Answer {
    try {
      return answerOf(read);
    } catch (error) {
      this.#host.failed(error);
      return { kind: 'failed', error };
    }
  }

  /** The answer was applied: the next read of this id may go. */
  #done(read: Read<R>): void {
    const reads = this.#reads.get(read.id);
    if (reads === undefined || reads.wire !== read) return;
    reads.wire = undefined;
    if (reads.next === undefined) this.#reads.delete(read.id);
    else this.#enqueue(reads.next);
  }

  #count(lane: 'version' | 'check' | 'row', by: number): void {
    if (lane === 'version') this.#versionQueries += by;
    else if (lane === 'check') this.#checkQueries += by;
    else this.#rowQueries += by;
  }
}

function hasWaiter(read: Read<ConnectionRecord> | undefined): boolean {
  return read !== undefined && read.waiters.some((waiter) => !waiter.settled && waiter.background === undefined);
}

function asMap<V>(answer: unknown, method: string): ReadonlyMap<string, V> {
  if (answer instanceof Map) return answer as ReadonlyMap<string, V>;
  if (typeof (answer as ReadonlyMap<string, V> | undefined)?.get === 'function') return answer as ReadonlyMap<string, V>;
  throw new TypeError(`the store's ${method} must resolve a Map`);
}

/** The signal is made when it is first asked for: most drivers have no use for one. */
class ReadOptions implements StoreReadOptions {
  #controller: AbortController | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller?.abort(reason);
  }
}
