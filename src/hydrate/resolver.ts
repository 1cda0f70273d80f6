import type { Backoff } from '../backoff.js';
import { factoryFor } from '../composite-factory.js';
import type { DisposeReason, InstanceFactory } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { ConnectionError } from '../errors.js';
import { Slot } from '../slot/state.js';
import { lastGoodOf } from '../slot/fallback.js';
import type { Slots } from '../slot/slots.js';
import type { Supersession } from '../slot/state.js';
import { isThenable } from '../thenable.js';
import { within } from '../within.js';
import type { Read } from '../reads/lane.js';
import type { FreshnessReader } from '../reads/reader.js';
import type { Hydrator } from './hydrator.js';
import type { Answer } from '../reads/query.js';
import { confirms, notParsedInTime, parseRow, type ParsedRow } from '../reads/row.js';
import type { UnknownIds } from '../reads/unknown-ids.js';
import type { ReadWaiter } from '../reads/waiters.js';
import type { LeaseWaiter } from './lease-waiter.js';

const INVALIDATED: Supersession = { reason: 'invalidated', cause: undefined };

/** Applies an answer of the store to the current slot and to the waiters, each in one synchronous step. */
export class Resolver<R extends ConnectionRecord, I> {
  readonly #env: Environment<R, I>;
  readonly #slots: Slots<R, I>;
  readonly #hydrator: Hydrator<R, I>;
  readonly #reader: FreshnessReader<R>;
  readonly #backoff: Backoff;
  readonly #unknown: UnknownIds;

  constructor(
    env: Environment<R, I>,
    slots: Slots<R, I>,
    hydrator: Hydrator<R, I>,
    reader: FreshnessReader<R>,
    backoff: Backoff,
    unknown: UnknownIds,
  ) {
    this.#env = env;
    this.#slots = slots;
    this.#hydrator = hydrator;
    this.#reader = reader;
    this.#backoff = backoff;
    this.#unknown = unknown;
  }

  /** Applies the answer to a read. */
  apply(read: Read<R>, answer: Answer): Promise<void> | undefined {
    const { id } = read;
    const current = this.#slots.index.get(id);
    if (answer.kind === 'failed') {
      this.#unreachable(read, answer.error);
    } else if (current !== undefined && !read.flagged && this.#confirms(answer, current)) {
      current.checkedAt = read.sentAt;
      for (const waiter of read.waiters) this.#serve(waiter, current, read.sentAt);
    } else if (answer.kind === 'version') {
      // Only the row can tell what became of it. Its read begins later than this one, so it serves these waiters too.
      const waiting = read.waiters.filter((waiter) => !waiter.settled);
      for (const waiter of waiting) this.#reader.request(id, 'row', waiter);
      if (waiting.length === 0 && current !== undefined) this.#reader.request(id, 'row');
    } else {
      const parsed = parseRow(id, answer.row, this.#env.options.recordSchema);
      if (isThenable(parsed)) return this.#inTime(id, answer.row, parsed).then((row) => this.#applyRow(read, row));
      this.#applyRow(read, parsed as ParsedRow<R>);
    }
    this.#env.effects.flush();
    return undefined;
  }

  /** Gives a waiter a slot: one that is live, or on its way from now on at the latest. */
  join(waiter: LeaseWaiter<R, I>, slot: Slot<R, I>): void {
    const otherPlatform = waiter.refusalBy(slot.factory);
    if (otherPlatform !== undefined) return waiter.fail(otherPlatform);
    if (slot.state.kind === 'seen') {
      const refusal = this.#mayNotHydrate(slot.id, slot.version, slot.factory);
      if (refusal !== undefined) return waiter.fail(refusal);
      waiter.slot = slot;
      this.#slots.attempts.pending(slot).waiters.add(waiter);
      this.#hydrator.start(slot);
    } else if (slot.state.kind === 'live') {
      this.#slots.hold(slot);
      waiter.deliver(slot);
    } else if (slot.state.kind === 'pending' || slot.state.kind === 'creating') {
      waiter.slot = slot;
      slot.state.waiters.add(waiter);
    } else {
      // The waiter before it, of the same answer, found that the row must be read again.
      this.#reader.request(slot.id, 'row', waiter);
    }
  }

  #confirms(answer: Exclude<Answer, { kind: 'failed' }>, current: Slot<R, I>): boolean {
    return answer.kind === 'version' ? answer.version === current.version : confirms(answer.row, current);
  }

  /** A schema that never settles must not keep its row from being read again. */
  #inTime(id: string, row: unknown, parsing: PromiseLike<ParsedRow<R>>): Promise<ParsedRow<R>> {
    const {
      clock,
      options: { storeTimeoutMs },
    } = this.#env;
    return within(clock, storeTimeoutMs, parsing, () => notParsedInTime(id, row, storeTimeoutMs));
  }

  #applyRow(read: Read<R>, row: ParsedRow<R>): void {
    const { id } = read;
    if (row.kind === 'active') {
      this.#applyActive(read, row.record);
    } else if (row.kind === 'invalid') {
      // A row that does not even tell its version says nothing about the instance that lives.
      const current = this.#slots.index.get(id);
      const replaced = row.version !== undefined && row.version !== current?.version;
      this.#refuse(read, replaced ? 'replaced' : undefined, row.error);
    } else if (row.kind === 'stopped') {
      this.#refuse(
        read,
        'stopped',
        new ConnectionError('CONNECTION_STOPPED', `Connection '${id}' is stopped`, { connectionId: id }),
      );
    } else {
      const { notFoundTtlMs } = this.#env.options;
      if (!read.flagged && !read.doubtful && notFoundTtlMs > 0) this.#unknown.add(id, read.sentAt + notFoundTtlMs);
      this.#refuse(read, 'deleted', notFound(id));
    }
    this.#env.effects.flush();
  }

  #applyActive(read: Read<R>, record: R): void {
    if (read.matches.some((matches) => matches(record))) read.flagged = true;
    let factory: InstanceFactory<R, I>;
    try {
      factory = factoryFor(this.#env.options.factory, record);
    } catch (error) {
      // A platform nobody made a factory for.
      return this.#refuse(read, 'replaced', error as ConnectionError);
    }
    this.#serveRow(read, record, factory);
  }

  /** There is nothing to hydrate: ends the live slot and fails the waiters. */
  #refuse(read: Read<R>, reason: DisposeReason | undefined, error: ConnectionError): void {
    const current = read.flagged ? undefined : this.#slots.index.get(read.id);
    // Not what is only on its way: the row had changed before whoever is told of it began.
    const lastGood = reason === 'replaced' ? this.#lastGood(current) : undefined;
    if (current !== undefined && reason !== undefined && lastGood === undefined) this.#slots.supersede(current, reason);
    for (const waiter of read.waiters) {
      if (waiter.settled) continue;
      if (lastGood === undefined) waiter.fail(error);
      // This row is no check of that version.
      else this.#serve(waiter, lastGood, lastGood.checkedAt);
    }
  }

  /** A row that is to be served. */
  #serveRow(read: Read<R>, record: R, factory: InstanceFactory<R, I>): void {
    const slots = this.#slots;
    const { id, flagged, sentAt, outdated } = read;
    const current = flagged ? undefined : slots.index.get(id);
    this.#unknown.forget(id);
    const slot = new Slot<R, I>(record, factory, sentAt, outdated);
    if (current?.version === slot.version) {
      current.checkedAt = sentAt;
      for (const waiter of read.waiters) this.#serve(waiter, current, sentAt);
      return;
    }
    this.#refuseOtherPlatforms(read, factory);
    const waiting = read.waiters.filter((waiter) => !waiter.settled);
    const joining = waiting.filter((waiter) => waiter.found === undefined) as LeaseWaiter<R, I>[];
    const isLookedAt = waiting.some((waiter) => waiter.found !== undefined && waiter.background === undefined);
    const lastGood = this.#lastGood(current);
    const refusal = joining.length > 0 ? this.#mayNotHydrate(id, slot.version, factory) : undefined;
    if (joining.length > 0 && refusal === undefined) {
      this.#hydrate(slot, flagged, joining, current, lastGood);
    } else {
      // Though nothing is made of the new version, the old one is not to be wanted any more.
      if (current !== undefined && lastGood === undefined) slots.supersede(current, 'replaced');
      if (lastGood === undefined && !flagged && isLookedAt) slots.install(slot);
    }
    for (const waiter of waiting) {
      if (waiter.found !== undefined) this.#show(waiter, slot, sentAt);
      else if (refusal !== undefined && lastGood !== undefined) this.join(waiter as LeaseWaiter<R, I>, lastGood);
      else if (refusal !== undefined) waiter.fail(refusal);
    }
  }

  /** Webhooks that another factory has authenticated: nothing is hydrated for them. */
  #refuseOtherPlatforms(read: Read<R>, factory: InstanceFactory<R, I>): void {
    for (const waiter of read.waiters) {
      if (waiter.settled || waiter.found !== undefined) continue;
      const refusal = (waiter as LeaseWaiter<R, I>).refusalBy(factory);
      if (refusal !== undefined) waiter.fail(refusal);
    }
  }

  #hydrate(
    slot: Slot<R, I>,
    superseded: boolean,
    joining: readonly LeaseWaiter<R, I>[],
    current: Slot<R, I> | undefined,
    lastGood: Slot<R, I> | undefined,
  ): void {
    const slots = this.#slots;
    const state = slots.attempts.pending(slot, superseded ? INVALIDATED : undefined);
    if (superseded) slots.installSuperseded(slot);
    else slots.install(slot);
    for (const waiter of joining) this.join(waiter, slot);
    if (lastGood !== undefined) {
      slots.hold(lastGood);
      state.fallback = lastGood;
      if (current !== lastGood) slots.dropFallback(current);
    }
    if (current !== undefined && current !== lastGood) slots.supersede(current, 'replaced');
    this.#hydrator.start(slot);
  }

  #lastGood(current: Slot<R, I> | undefined): Slot<R, I> | undefined {
    return this.#env.options.keepLastGood ? lastGoodOf(current) : undefined;
  }

  #mayNotHydrate(id: string, version: string, factory: InstanceFactory<R, I>): ConnectionError | undefined {
    const permanent = this.#backoff.permanent(id, version);
    if (permanent !== undefined) return permanent;
    const remainingMs = this.#backoff.remainingMs(id, version);
    if (remainingMs > 0) return backingOff(id, remainingMs);
    if (!this.#hydrator.isFull(factory)) return undefined;
    return new ConnectionError('OVERLOADED', `Connection '${id}' was not hydrated: maxQueuedHydrations others wait already`, {
      connectionId: id,
    });
  }

  #serve(waiter: ReadWaiter<R>, slot: Slot<R, I>, sentAt: number): void {
    if (waiter.settled) return;
    if (waiter.found === undefined) this.join(waiter as LeaseWaiter<R, I>, slot);
    else this.#show(waiter, slot, sentAt);
  }

  #show(waiter: ReadWaiter<R>, slot: Slot<R, I>, sentAt: number): void {
    waiter.found?.({ slot, sentAt, letGo: waiter.background === undefined ? this.#slots.attempts.look(slot) : () => {} });
  }

  /** The store did not answer: what was good a moment ago may serve on, where that was asked for. */
  #unreachable({ id, waiters }: Read<R>, cause: unknown): void {
    const {
      clock,
      options: { staleIfErrorMs },
    } = this.#env;
    const newest = this.#slots.index.get(id);
    const current = this.#lastGood(newest) ?? newest;
    const serves =
      current?.state.kind === 'live' && staleIfErrorMs > 0 && clock.monotonic() - current.checkedAt <= staleIfErrorMs;
    for (const waiter of waiters) {
      // A sweep is no use that could be served: it ends when the store is down.
      if (serves && waiter.background === undefined) this.#serve(waiter, current, current.checkedAt);
      else if (!waiter.settled) {
        waiter.fail(
          new ConnectionError('STORE_UNAVAILABLE', `The row of connection '${id}' could not be read`, {
            connectionId: id,
            cause,
          }),
        );
      }
    }
  }
}

/** The error of a use of an id without a row. */
export function notFound(id: string): ConnectionError {
  return new ConnectionError('CONNECTION_NOT_FOUND', `There is no connection '${id}'`, { connectionId: id });
}

/** The error of a use of a connection whose last attempts failed. */
export function backingOff(id: string, remainingMs: number): ConnectionError {
  const message = `Connection '${id}' failed to hydrate and is left alone for ${Math.ceil(remainingMs)} ms`;
  return new ConnectionError('BACKING_OFF', message, { connectionId: id, retryAfterMs: remainingMs });
}
