import type { Clock } from '../clock.js';
import type { DisposeReason, InstanceFactory } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { StandardSchemaV1 } from '../contracts/schema.js';
import { ConnectionError } from '../errors.js';
import { Slot } from '../slot/slot.js';
import type { Slots } from '../slot/slots.js';
import type { Supersession } from '../slot/state.js';
import type { Backoff } from './backoff.js';
import type { FreshnessReader, Read } from './freshness.js';
import type { Hydrator } from './hydrator.js';
import type { Learnt } from './learnt.js';
import type { Answer } from './query.js';
import { confirms, notParsedInTime, parseRow, type ParsedRow } from './record.js';
import { isThenable } from '../thenable.js';
import type { LeaseWaiter, ReadWaiter } from './waiter.js';
import { within } from '../within.js';

/** What the resolver needs to know of the registry it belongs to. */
export interface ResolverHost<R extends ConnectionRecord, I> {
  readonly clock: Clock;
  readonly slots: Slots<R, I>;
  readonly hydrator: Hydrator<R, I>;
  readonly reader: FreshnessReader<R>;
  readonly backoff: Backoff;
  readonly learnt: Learnt;
  readonly recordSchema: StandardSchemaV1<any, R> | undefined;
  readonly limits: {
    readonly storeTimeoutMs: number; readonly staleIfErrorMs: number; readonly notFoundTtlMs: number; readonly keepLastGood: boolean;
  };
  factoryOf(record: R): InstanceFactory<R, I>;
}

/** What is left of a read when its row is to be served. */
type Seen<R extends ConnectionRecord> = Pick<Read<R>, 'id' | 'waiters' | 'flagged' | 'sentAt'>;

const INVALIDATED: Supersession = { reason: 'invalidated', cause: undefined };

/** What an answer of the store means: for the current slot, and for those who waited for it. Each in one step. */
export class Resolver<R extends ConnectionRecord, I> {
  readonly #host: ResolverHost<R, I>;

  constructor(host: ResolverHost<R, I>) {
    this.#host = host;
  }

  /** Applies the answer to a read. */
  apply(read: Read<R>, answer: Answer): Promise<void> | undefined {
    const { slots, reader, learnt } = this.#host;
    const { id } = read;
    const current = slots.index.get(id);
    if (answer.kind === 'failed') {
      this.#unreachable(read, answer.error);
    } else if (current !== undefined && !read.flagged && this.#confirms(answer, current)) {
      current.checkedAt = read.sentAt;
      for (const waiter of read.waiters) this.#serve(waiter, current, read.sentAt);
    } else if (answer.kind === 'version') {
      // Only the row can tell what became of it. Its read begins later than this one, so it serves these waiters too.
      const waiting = read.waiters.filter((waiter) => !waiter.settled);
      for (const waiter of waiting) reader.request(id, 'row', waiter);
      if (waiting.length === 0) {
        if (current === undefined) learnt.withoutSlot(id, answer.version, read.sentAt);
        else reader.request(id, 'row');
      }
    } else {
      const parsed = parseRow(id, answer.row, this.#host.recordSchema);
      if (isThenable(parsed)) return this.#inTime(id, answer.row, parsed).then((row) => this.#applyRow(read, row));
      this.#applyRow(read, parsed as ParsedRow<R>);
    }
    slots.effects.flush();
    return undefined;
  }

  /**
   * Takes up a row that was read earlier on behalf of a use that had something else to do first (to authenticate a
   * webhook). What was learnt since wins; where the clock cannot tell which came first, the store is asked again.
   */
  takeUp(record: R, sentAt: number, waiter: LeaseWaiter<R, I>): void {
    const { slots, reader } = this.#host;
    const current = slots.index.get(record.id);
    if (this.#mayBeOutdated(record, sentAt, current)) reader.request(record.id, 'row', waiter);
    else if (current !== undefined && current.checkedAt >= sentAt) this.#serve(waiter, current, current.checkedAt);
    else this.#active({ id: record.id, waiters: [waiter], flagged: false, sentAt }, record);
    slots.effects.flush();
  }

  /** Whether anything was learnt since `sentAt`, or in the same millisecond, that speaks against this row. */
  #mayBeOutdated({ id, version: rowVersion }: R, sentAt: number, current: Slot<R, I> | undefined): boolean {
    const version = String(rowVersion);
    // Had anything spoken against the version that has a slot, another would stand in its place.
    return current?.version !== version && (current?.checkedAt === sentAt || this.#host.learnt.speaksAgainst(id, version, sentAt));
  }

  /** Gives a waiter a slot that is live or on its way. */
  join(waiter: LeaseWaiter<R, I>, slot: Slot<R, I>): void {
    const { slots } = this.#host;
    if (slot.state.kind === 'live') {
      slots.hold(slot);
      waiter.deliver(slot);
    } else if (slot.state.kind === 'pending' || slot.state.kind === 'creating') {
      waiter.slot = slot;
      slot.state.waiters.add(waiter);
    }
  }

  #confirms(answer: Exclude<Answer, { kind: 'failed' }>, current: Slot<R, I>): boolean {
    return answer.kind === 'version' ? answer.version === current.version : confirms(answer.row, current);
  }

  /** A schema that never settles must not keep its row from being read again. */
  #inTime(id: string, row: unknown, parsing: PromiseLike<ParsedRow<R>>): Promise<ParsedRow<R>> {
    const { clock, limits: { storeTimeoutMs } } = this.#host;
    return within(clock, storeTimeoutMs, parsing, () => notParsedInTime(id, row, storeTimeoutMs));
  }

  #applyRow(read: Read<R>, row: ParsedRow<R>): void {
    const { id } = read;
    if (row.kind === 'active') {
      const invalid = this.#unservable(row.record);
      if (invalid === undefined) this.#active(read, row.record);
      else this.#refuse(read, 'replaced', invalid);
    } else if (row.kind === 'invalid') {
      // A row that does not even tell its version says nothing about the instance that lives.
      const current = this.#host.slots.index.get(id);
      const replaced = row.version !== undefined && row.version !== current?.version;
      this.#refuse(read, replaced ? 'replaced' : undefined, row.error);
    } else if (row.kind === 'stopped') {
      this.#refuse(read, 'stopped', new ConnectionError('CONNECTION_STOPPED', `Connection '${id}' is stopped`, { connectionId: id }));
    } else {
      const { notFoundTtlMs } = this.#host.limits;
      if (!read.flagged && !read.doubtful && notFoundTtlMs > 0) this.#host.learnt.unknown(id, read.sentAt + notFoundTtlMs);
      this.#refuse(read, 'deleted', notFound(id));
    }
    this.#host.slots.effects.flush();
  }

  /** A platform nobody made a factory for. */
  #unservable(record: R): ConnectionError | undefined {
    try {
      this.#host.factoryOf(record);
      return undefined;
    } catch (error) {
      return error as ConnectionError;
    }
  }

  /** There is nothing to hydrate: what lives ends, who waits is told. */
  #refuse(read: Read<R>, reason: DisposeReason | undefined, error: ConnectionError): void {
    const { slots, limits, learnt } = this.#host;
    if (reason !== undefined) learnt.withoutSlot(read.id, undefined, read.sentAt);
    const current = read.flagged ? undefined : slots.index.get(read.id);
    // Not what is only on its way: the row had changed before whoever is told of it began.
    const lastGood = reason === 'replaced' && limits.keepLastGood ? slots.lastGood(current) : undefined;
    if (current !== undefined && reason !== undefined && lastGood === undefined) slots.supersede(current, reason);
    for (const waiter of read.waiters) {
      if (waiter.settled) continue;
      if (lastGood === undefined) waiter.fail(error);
      // This row is no check of that version.
      else this.#serve(waiter, lastGood, lastGood.checkedAt);
    }
  }

  /** A row that is to be served. */
  #active(read: Seen<R>, record: R): void {
    const { slots, limits, backoff, learnt } = this.#host;
    const current = read.flagged ? undefined : slots.index.get(read.id);
    const version = String(record.version);
    learnt.forgetUnknown(read.id);
    if (current?.version === version) {
      current.checkedAt = read.sentAt;
      for (const waiter of read.waiters) this.#serve(waiter, current, read.sentAt);
      return;
    }
    const joining: LeaseWaiter<R, I>[] = [];
    for (const waiter of read.waiters) {
      if (waiter.settled) continue;
      if (waiter.found === undefined) joining.push(waiter as LeaseWaiter<R, I>);
      else waiter.found({ record, sentAt: read.sentAt });
    }
    const lastGood = limits.keepLastGood ? slots.lastGood(current) : undefined;
    const refusal = this.#mayNotHydrate(record, backoff.remainingMs(read.id, version));
    if (joining.length > 0 && refusal === undefined) {
      this.#hydrate(read, record, joining, current, lastGood);
      return;
    }
    learnt.withoutSlot(read.id, version, read.sentAt);
    // Though nothing is made of the new version, the old one is not to be wanted any more.
    if (current !== undefined && lastGood === undefined) slots.supersede(current, 'replaced');
    for (const waiter of joining) {
      if (lastGood !== undefined) this.join(waiter, lastGood);
      else if (refusal !== undefined) waiter.fail(refusal);
    }
  }

  #hydrate(
    read: Seen<R>, record: R, joining: readonly LeaseWaiter<R, I>[],
    current: Slot<R, I> | undefined, lastGood: Slot<R, I> | undefined,
  ): void {
    const { slots, hydrator } = this.#host;
    const slot = new Slot<R, I>(record, read.sentAt, read.flagged ? INVALIDATED : undefined);
    if (read.flagged) slots.installSuperseded(slot);
    else slots.install(slot);
    for (const waiter of joining) this.join(waiter, slot);
    if (lastGood !== undefined && slot.state.kind === 'pending') {
      slots.hold(lastGood);
      slot.state.fallback = lastGood;
      if (current !== lastGood) slots.dropFallback(current);
    }
    if (current !== undefined && current !== lastGood) slots.supersede(current, 'replaced');
    hydrator.start(slot);
  }

  #mayNotHydrate(record: R, remainingMs: number): ConnectionError | undefined {
    const { id } = record;
    if (remainingMs > 0) return backingOff(id, remainingMs);
    if (!this.#host.hydrator.isFull(record)) return undefined;
    return new ConnectionError('OVERLOADED', `Connection '${id}' was not hydrated: maxQueuedHydrations others wait already`, { connectionId: id });
  }

  #serve(waiter: ReadWaiter<R>, slot: Slot<R, I>, sentAt: number): void {
    if (waiter.settled) return;
    if (waiter.found === undefined) this.join(waiter as LeaseWaiter<R, I>, slot);
    else waiter.found({ record: slot.record, sentAt });
  }

  /** The store did not answer: what was good a moment ago may serve on, where that was asked for. */
  #unreachable({ id, waiters }: Read<R>, cause: unknown): void {
    const { slots, clock, limits: { staleIfErrorMs, keepLastGood } } = this.#host;
    const newest = slots.index.get(id);
    const current = keepLastGood ? slots.lastGood(newest) : newest;
    const serves = current?.state.kind === 'live' && staleIfErrorMs > 0
      && clock.monotonic() - current.checkedAt <= staleIfErrorMs;
    for (const waiter of waiters) {
      // A sweep is no use that could be served: it ends when the store is down.
      const served = serves && waiter.background === undefined;
      if (served && waiter.found !== undefined) {
        if (!waiter.settled) waiter.found({ record: current.record, sentAt: current.checkedAt, unconfirmed: true });
      } else if (served) this.#serve(waiter, current, current.checkedAt);
      else if (!waiter.settled) {
        waiter.fail(new ConnectionError('STORE_UNAVAILABLE', `The row of connection '${id}' could not be read`, { connectionId: id, cause }));
      }
    }
  }
}

/** What a use of an id without a row is told. */
export function notFound(id: string): ConnectionError {
  return new ConnectionError('CONNECTION_NOT_FOUND', `There is no connection '${id}'`, { connectionId: id });
}

/** What a use of a connection is told whose last attempts failed. */
export function backingOff(id: string, remainingMs: number): ConnectionError {
  const message = `Connection '${id}' failed to hydrate and is left alone for ${Math.ceil(remainingMs)} ms`;
  return new ConnectionError('BACKING_OFF', message, { connectionId: id, retryAfterMs: remainingMs });
}
