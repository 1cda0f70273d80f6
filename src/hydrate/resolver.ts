import { factoryFor } from '../composite-factory.js';
import type { DisposeReason, InstanceFactory } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import type { ConnectionError } from '../errors.js';
import { servingOf } from '../slot/fallback.js';
import type { Slots } from '../slot/slots.js';
import { Slot, type Supersession } from '../slot/state.js';
import { isThenable } from '../thenable.js';
import { within } from '../within.js';
import type { Read } from '../reads/lane.js';
import type { Reader } from '../reads/reader.js';
import type { Hydrator } from './hydrator.js';
import type { Answer } from '../reads/query.js';
import { confirms, notParsedInTime, parseRow, type ParsedRow } from '../reads/row.js';
import type { UnknownIds } from '../reads/unknown-ids.js';
import type { Joining } from './joining.js';
import { wantsLease, type LeaseWaiter } from './lease-waiter.js';
import { notFound, notRead, stopped } from './refusals.js';

const INVALIDATED: Supersession = { reason: 'invalidated', cause: undefined };

/** Applies an answer of the store to the current slot and to the waiters, each in one synchronous step. */
export class Resolver<R extends ConnectionRecord, I> {
  readonly #env: Environment<R, I>;
  readonly #slots: Slots<R, I>;
  readonly #hydrator: Hydrator<R, I>;
  readonly #reader: Reader<R>;
  readonly #joining: Joining<R, I>;
  readonly #unknown: UnknownIds;

  constructor(
    env: Environment<R, I>,
    slots: Slots<R, I>,
    hydrator: Hydrator<R, I>,
    reader: Reader<R>,
    joining: Joining<R, I>,
    unknown: UnknownIds,
  ) {
    this.#env = env;
    this.#slots = slots;
    this.#hydrator = hydrator;
    this.#reader = reader;
    this.#joining = joining;
    this.#unknown = unknown;
  }

  apply(read: Read<R>, answer: Answer): Promise<void> | undefined {
    const { id } = read;
    const current = this.#slots.index.get(id);
    if (answer.kind === 'failed') {
      this.#unreachable(read, answer.error);
    } else if (current !== undefined && !read.invalidated && this.#confirms(answer, current)) {
      current.checkedAt = read.sentAt;
      for (const waiter of read.waiters) this.#joining.serve(waiter, current, read.sentAt);
    } else if (answer.kind === 'version') {
      // Only the row tells what changed. Its read begins later than this one, so it serves these waiters too.
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
      // Without a version, the row says nothing about the live instance.
      const current = this.#slots.index.get(id);
      const replaced = row.version !== undefined && row.version !== current?.version;
      this.#refuse(read, replaced ? 'replaced' : undefined, row.error);
    } else if (row.kind === 'stopped') {
      this.#refuse(read, 'stopped', stopped(id));
    } else {
      const { notFoundTtlMs } = this.#env.options;
      if (!read.invalidated && !read.doubtful && notFoundTtlMs > 0) this.#unknown.add(id, read.sentAt + notFoundTtlMs);
      this.#refuse(read, 'deleted', notFound(id));
    }
    this.#env.effects.flush();
  }

  #applyActive(read: Read<R>, record: R): void {
    if (read.matches.some((matches) => matches(record))) read.invalidated = true;
    let factory: InstanceFactory<R, I>;
    try {
      factory = factoryFor(this.#env.options.factory, record);
    } catch (error) {
      // There is no factory for this platform.
      return this.#refuse(read, 'replaced', error as ConnectionError);
    }
    this.#serveRow(read, record, factory);
  }

  /** There is nothing to hydrate. Ends the live slot and fails the waiters, or serves them the last good instance. */
  #refuse(read: Read<R>, reason: DisposeReason | undefined, error: ConnectionError): void {
    const current = read.invalidated ? undefined : this.#slots.index.get(read.id);
    // A slot that is still hydrating is no fallback: its row had changed before these waiters arrived.
    const lastGood = reason === 'replaced' ? this.#lastGood(current) : undefined;
    if (current !== undefined && reason !== undefined && lastGood === undefined) this.#slots.supersede(current, reason);
    for (const waiter of read.waiters) {
      if (waiter.settled) continue;
      if (lastGood === undefined) waiter.fail(error);
      // This row does not confirm that version, so its check stays as old as it was.
      else this.#joining.serve(waiter, lastGood, lastGood.checkedAt);
    }
  }

  /** The row is active: confirms the current slot, or makes a new one for the waiters. */
  #serveRow(read: Read<R>, record: R, factory: InstanceFactory<R, I>): void {
    const slots = this.#slots;
    const { id, invalidated, sentAt, readBeforeDispose } = read;
    const current = invalidated ? undefined : slots.index.get(id);
    this.#unknown.forget(id);
    const slot = new Slot<R, I>(record, factory, sentAt, readBeforeDispose);
    if (current?.version === slot.version) {
      current.checkedAt = sentAt;
      for (const waiter of read.waiters) this.#joining.serve(waiter, current, sentAt);
      return;
    }
    this.#refuseOtherPlatforms(read, factory);
    const waiting = read.waiters.filter((waiter) => !waiter.settled);
    const uses = waiting.filter((waiter) => wantsLease<R, I>(waiter));
    const isLookedAt = waiting.some((waiter) => !wantsLease<R, I>(waiter) && waiter.background === undefined);
    const lastGood = this.#lastGood(current);
    const refusal = uses.length > 0 ? this.#joining.refusal(id, slot.version, factory) : undefined;
    if (uses.length > 0 && refusal === undefined) {
      this.#hydrate(slot, invalidated, uses, current, lastGood);
    } else {
      // Nothing hydrates the new version yet, but no use may get the old one any more.
      if (current !== undefined && lastGood === undefined) slots.supersede(current, 'replaced');
      if (lastGood === undefined && !invalidated && isLookedAt) slots.install(slot);
    }
    for (const waiter of waiting) {
      if (!wantsLease<R, I>(waiter)) this.#joining.show(waiter, slot, sentAt);
      else if (refusal !== undefined && lastGood !== undefined) this.#joining.join(waiter, lastGood);
      else if (refusal !== undefined) waiter.fail(refusal);
    }
  }

  /** Fails webhooks that another factory has authenticated, so that nothing is hydrated for them. */
  #refuseOtherPlatforms(read: Read<R>, factory: InstanceFactory<R, I>): void {
    for (const waiter of read.waiters) {
      if (waiter.settled || !wantsLease<R, I>(waiter)) continue;
      const refusal = waiter.refusalBy(factory);
      if (refusal !== undefined) waiter.fail(refusal);
    }
  }

  #hydrate(
    slot: Slot<R, I>,
    invalidated: boolean,
    uses: readonly LeaseWaiter<R, I>[],
    current: Slot<R, I> | undefined,
    lastGood: Slot<R, I> | undefined,
  ): void {
    const slots = this.#slots;
    const state = slots.beginning.toPending(slot, invalidated ? INVALIDATED : undefined);
    if (invalidated) slots.installSuperseded(slot);
    else slots.install(slot);
    for (const waiter of uses) this.#joining.join(waiter, slot);
    if (lastGood !== undefined) {
      slots.takeFallback(state, lastGood);
      if (current !== lastGood) slots.dropFallback(current);
    }
    if (current !== undefined && current !== lastGood) slots.supersede(current, 'replaced');
    this.#hydrator.start(slot);
  }

  /** With `keepLastGood`: the live instance that serves until a successor is live. */
  #lastGood(current: Slot<R, I> | undefined): Slot<R, I> | undefined {
    return this.#env.options.keepLastGood ? servingOf(current) : undefined;
  }

  /** The store did not answer. With `staleIfErrorMs`, an instance that was checked recently goes on serving. */
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
      // A background check needs no instance. Its failure ends the sweep, because the store is down.
      if (serves && waiter.background === undefined) this.#joining.serve(waiter, current, current.checkedAt);
      else if (!waiter.settled) waiter.fail(notRead(id, cause));
    }
  }
}
