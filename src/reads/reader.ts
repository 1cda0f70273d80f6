import { onMicrotask } from '../clock.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { Lane, type Passage, type Read } from './lane.js';
import { Query, type Answer, type AnswerOf } from './query.js';
import { tellThoseWhoLeft, type ReadWaiter } from './waiters.js';

/*
 * The rule: at most one read of an id is on the wire. A use waits for the next read that has not been sent, never for one
 * on the wire, because the store may have answered that before the use began. Answers after the time-out are dropped. So
 * answers about an id count in the order in which its reads were sent.
 */

/** Applies an answer in one synchronous step, or returns a promise when the row must be parsed asynchronously. */
export type Apply<R extends ConnectionRecord> = (read: Read<R>, answer: Answer) => Promise<void> | undefined;

interface Reads<R extends ConnectionRecord> { wire: Read<R> | undefined; next: Read<R> | undefined }

/** Ids in one query of versions, and in one of rows. */
const MAX_VERSIONS = 1_000;
const MAX_ROWS = 100;
/** Queries of rows in flight, for each lane. Versions have one query in flight, so later uses share the next. */
const MAX_ROW_QUERIES = 32;

/** Reads the store: one read per id at a time, in batches, and a bounded number of queries. */
export class Reader<R extends ConnectionRecord> {
  readonly #env: Environment<R, any>;
  readonly #apply: Apply<R>;
  readonly #reads = new Map<string, Reads<R>>();
  readonly #versions = new Lane<R>('version', 1);
  /** Checks of live connections, if the store has no `getVersions`. */
  readonly #checks = new Lane<R>('row', MAX_ROW_QUERIES);
  readonly #rows = new Lane<R>('row', MAX_ROW_QUERIES);
  /** Rows that may not exist: only strangers ask for them. Their own lane, so a flood of invented ids delays no use. */
  readonly #unproven = new Lane<R>('row', MAX_ROW_QUERIES);
  #sending = false;
  #closing = false;
  readonly #sendWaiting = (): void => {
    this.#sending = false;
    this.#send();
  };

  constructor(env: Environment<R, any>, apply: Apply<R>) {
    this.#env = env;
    this.#apply = apply;
  }

  /** Queries of the store that are on the wire, and those given up after `storeTimeoutMs` that have not settled since. */
  get queries(): { readonly inFlight: number; readonly abandoned: number } {
    let [inFlight, abandoned] = [0, 0];
    for (const lane of [this.#versions, this.#checks, this.#rows, this.#unproven]) {
      inFlight += lane.inFlight;
      abandoned += lane.abandoned;
    }
    return { inFlight, abandoned };
  }

  /** Whether a caller waits for a read of this id. */
  isAwaited(id: string): boolean {
    const reads = this.#reads.get(id);
    return hasWaiter(reads?.wire) || hasWaiter(reads?.next);
  }

  /**
   * Asks for the next read of this id.
   *
   * @param kind - `'version'` where an instance is there that the same version would confirm
   * @param waiter - without one the registry itself asks
   */
  request(id: string, kind: 'version' | 'row', waiter?: ReadWaiter<R>): void {
    let reads = this.#reads.get(id);
    if (reads === undefined) this.#reads.set(id, reads = { wire: undefined, next: undefined });
    if (reads.next === undefined) {
      reads.next = {
        id, kind, waiters: waiter === undefined ? [] : [waiter], matches: [], applied: [],
        invalidated: false, doubtful: false, readBeforeDispose: false, selfRequested: false, unproven: true, sentAt: 0,
        lane: undefined,
      };
    } else {
      if (kind === 'row') reads.next.kind = 'row';
      if (waiter !== undefined) reads.next.waiters.push(waiter);
    }
    if (waiter === undefined) reads.next.selfRequested = true;
    if (waiter?.unproven !== true) reads.next.unproven = false;
    if (reads.wire === undefined) this.#enqueue(reads.next);
  }

  /** A hint came for this id. A read on the wire may have missed the change. Returns whether there is such a read. */
  markDoubtful(id: string): boolean {
    const wire = this.#reads.get(id)?.wire;
    if (wire !== undefined) wire.doubtful = true;
    return wire !== undefined;
  }

  /** Hints may have been lost. Every read on the wire may have missed a change, so each is followed by another. */
  doubtAll(): void {
    for (const [id, { wire }] of this.#reads) {
      if (wire === undefined) continue;
      wire.doubtful = true;
      this.request(id, 'version');
    }
  }

  /** From now on, only reads that a caller waits for are sent. The application may close the store after the registry. */
  stopBackground(): void {
    this.#closing = true;
  }

  /** The ids whose reads are on the wire. */
  onWire(): string[] {
    return [...this.#reads].filter(([, { wire }]) => wire !== undefined).map(([id]) => id);
  }

  /**
   * Marks the read on the wire as invalidated, or as invalidated if its row matches. Returns whether there is such a read.
   *
   * @param applied - called when its answer has been applied
   */
  markInvalidated(id: string, applied: () => void, matches?: (record: R) => boolean): boolean {
    const wire = this.#reads.get(id)?.wire;
    if (wire === undefined) return false;
    if (matches === undefined) wire.invalidated = true;
    else wire.matches.push(matches);
    wire.applied.push(applied);
    return true;
  }

  /** An instance of this id was disposed of. A read on the wire may have missed what `dispose` wrote. */
  markReadBeforeDispose(id: string): void {
    const wire = this.#reads.get(id)?.wire;
    if (wire !== undefined) wire.readBeforeDispose = true;
  }

  *waiters(): Iterable<readonly [id: string, waiter: ReadWaiter<R>]> {
    for (const [id, { wire, next }] of this.#reads) {
      for (const waiter of [...wire?.waiters ?? [], ...next?.waiters ?? []]) yield [id, waiter];
    }
  }

  #enqueue(next: Read<R>): void {
    const lane = this.#laneOf(next);
    if (next.lane === lane) return;
    lane.add(next);
    if (this.#sending) return;
    this.#sending = true;
    // Uses of the same turn share the query.
    onMicrotask(this.#sendWaiting);
  }

  #laneOf(next: Read<R>): Lane<R> {
    // A check reads the row in any case, so it keeps its place.
    if (next.lane === this.#checks) return this.#checks;
    if (next.kind === 'row') return next.unproven ? this.#unproven : this.#rows;
    return this.#env.options.store.getVersions === undefined ? this.#checks : this.#versions;
  }

  #send(): void {
    const rowsPerQuery = this.#env.options.store.getMany === undefined ? 1 : MAX_ROWS;
    this.#sendIn(this.#versions, MAX_VERSIONS);
    this.#sendIn(this.#checks, rowsPerQuery);
    this.#sendIn(this.#rows, rowsPerQuery);
    this.#sendIn(this.#unproven, rowsPerQuery);
  }

  #sendIn(lane: Lane<R>, most: number): void {
    while (lane.isReady) {
      const reads = this.#take(lane, most);
      if (reads.length > 0) this.#query(reads, lane);
    }
  }

  #take(lane: Lane<R>, most: number): Read<R>[] {
    // Whole milliseconds: every live connection keeps this number, and V8 allocates an object for a fraction.
    const sentAt = Math.floor(this.#env.clock.monotonic());
    const taken: Read<R>[] = [];
    while (taken.length < most) {
      const read = lane.next();
      if (read === undefined) break;
      const reads = this.#reads.get(read.id) as Reads<R>;
      reads.next = undefined;
      if (this.#isWanted(read)) {
        reads.wire = read;
        read.sentAt = sentAt;
        taken.push(read);
      } else {
        this.#reads.delete(read.id);
        tellThoseWhoLeft(read.waiters);
      }
    }
    lane.compact();
    return taken;
  }

  /** Whether anyone still waits for it. After a flood, reads that everyone has left would delay all others. */
  #isWanted(read: Read<R>): boolean {
    return this.#closing ? hasWaiter(read) : read.selfRequested || read.waiters.some((waiter) => !waiter.settled);
  }

  #query(reads: readonly Read<R>[], lane: Lane<R>): void {
    const passage = lane.send();
    const query = new Query(this.#env, lane.kind, reads.map(({ id }) => id), (answerOf, inTime) => {
      if (inTime) passage.answered();
      else passage.givenUp();
      for (const read of reads) this.#answer(read, this.#answerTo(read, answerOf));
      this.#send();
    }, this.#onSettledLate(passage));
    query.send();
  }

  /** A closure of its own, because a store that never settles keeps it in memory. */
  #onSettledLate(passage: Passage): () => void {
    return () => {
      passage.settledLate();
      this.#send();
    };
  }

  #answer(read: Read<R>, answer: Answer): void {
    const applied = this.#apply(read, answer);
    if (applied === undefined) this.#done(read);
    else void applied.then(() => { this.#done(read); this.#send(); });
  }

  #answerTo({ id }: Read<R>, answerOf: AnswerOf): Answer {
    try {
      return answerOf(id);
    } catch (error) {
      this.#env.emit('storeFailed', { error });
      return { kind: 'failed', error };
    }
  }

  /** The answer was applied, so the next read of this id may be sent. */
  #done(read: Read<R>): void {
    const reads = this.#reads.get(read.id) as Reads<R>;
    reads.wire = undefined;
    if (reads.next === undefined) this.#reads.delete(read.id);
    else this.#enqueue(reads.next);
    for (const applied of read.applied) applied();
    tellThoseWhoLeft(read.waiters);
  }
}

function hasWaiter(read: Read<any> | undefined): boolean {
  return read !== undefined && read.waiters.some((waiter) => !waiter.settled && waiter.background === undefined);
}
