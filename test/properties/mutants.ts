/** A deliberate mistake: one place of the source, and its replacement. White space in `find` does not matter. */
export interface Mutant {
  /** The promise that it breaks. */
  readonly name: string;
  /** The function that holds the place: `Slots.release`, or `parseRow` outside of a class. */
  readonly in: string;
  readonly find: string;
  readonly replace: string;
  /** A second place, where the source makes up for the first one alone. Of the same function unless it names another. */
  readonly also?: { readonly in?: string; readonly find: string; readonly replace: string };
  readonly kind?: 'uses' | 'webhooks';
  /** How many programs it takes, where that is more than usual: few of them get there. */
  readonly programs?: number;
}

/** The simulation must detect each of these mistakes. */
export const mutants: readonly Mutant[] = [
  {
    name: 'G1: a use that arrives while the instance is created starts another create',
    in: 'Resolver.#serveRow',
    find: 'if (current?.version === slot.version) {',
    replace: "if (current?.version === slot.version && current.state.kind === 'live') {",
    also: {
      in: 'Resolver.apply',
      find: 'this.#confirms(answer, current)) {',
      replace: "this.#confirms(answer, current) && current.state.kind === 'live') {",
    },
  },
  {
    name: 'G2: a release disposes of a superseded instance although others hold it',
    in: 'Slots.release',
    find: 'if (slot.leases > 0) return;',
    replace: "if (slot.leases > 0 && slot.state.kind !== 'draining') return;",
  },
  {
    name: 'G2: what is replaced is disposed of at once',
    in: 'Slots.supersede',
    find: 'if (slot.leases === 0) this.#dispose(slot',
    replace: 'if (slot.leases >= 0) this.#dispose(slot',
  },
  {
    name: 'G2: the lease is counted after the await that delivers it',
    in: 'Slots.toLive',
    find: 'this.hold(slot); waiter.deliver(slot);',
    replace: 'waiter.deliver(slot); queueMicrotask(() => this.hold(slot));',
  },
  {
    name: 'G3: a create that finishes after everyone left is lost',
    in: 'Hydration.#created',
    find: 'slots.beginning.discard(slot, context, instance, { reason: state.reason, cause: undefined });',
    replace: '',
  },
  {
    name: 'G3: an instance that is evicted is forgotten and never disposed of',
    in: 'Eviction.evict',
    find: "this.#supersede(victim, 'evicted');",
    replace: 'this.#recency.remove(victim); break;',
  },
  {
    name: 'G4: a use attaches to the read on the wire',
    in: 'Reader.request',
    find: 'if (reads.next === undefined) {',
    replace:
      'if (reads.wire !== undefined) { if (waiter !== undefined) reads.wire.waiters.push(waiter); return; } '
      + 'if (reads.next === undefined) {',
  },
  {
    name: 'G4: a late answer counts',
    in: 'Query.#end',
    find: 'if (this.#over) return this.#settledLate();',
    replace: '',
    also: { find: 'this.#ended = () => {};', replace: '' },
  },
  {
    name: 'G9: a read that was given up makes room for another at once',
    in: 'Lane.send',
    find: 'this.#counted += 1;',
    replace: '',
  },
  {
    name: 'G9: a late answer to a read that was given up makes the store count as back',
    in: 'Lane.send',
    find: 'if (turn > this.#lost) this.#counted -= 1;',
    replace: 'this.#counted = 0;',
  },
  {
    name: 'G4: the age of an answer is taken when it comes, not when it was asked for',
    in: 'Resolver.apply',
    find: 'this.#confirms(answer, current)) { current.checkedAt = read.sentAt;',
    replace: 'this.#confirms(answer, current)) { current.checkedAt = this.#env.clock.monotonic();',
  },
  {
    name: 'G4: a stopped row leaves its instance serving',
    in: 'Resolver.#applyRow',
    find: "this.#refuse(read, 'stopped',",
    replace: 'this.#refuse(read, undefined,',
  },
  {
    name: 'G4: a row that does not parse leaves the instance of the version before it serving',
    in: 'Resolver.#applyRow',
    find: "this.#refuse(read, replaced ? 'replaced' : undefined, row.error);",
    replace: 'this.#refuse(read, undefined, row.error);',
  },
  {
    name: 'G6: a failure is not backed off from',
    in: 'Backoff.#note',
    find: 'until: now + delayMs,',
    replace: 'until: now,',
  },
  {
    name: 'G6: the back-off of one version holds for the next',
    in: 'Backoff.#of',
    find: 'return failures?.version === version ? failures : undefined;',
    replace: 'return failures;',
  },
  {
    name: 'G6: a failure for good is tried again after a back-off',
    in: 'permanentFailure',
    find: 'cause.retryable !== false',
    replace: 'cause.retryable !== undefined',
  },
  {
    name: 'G6: a use of what failed for good is told to come back',
    in: 'Joining.refusal',
    find: 'if (permanent !== undefined) return permanent;',
    replace: '',
  },
  {
    name: 'G6: invalidate keeps what failed for good',
    in: 'Invalidation.one',
    find: 'for (const backoff of this.#backoffs) backoff.clear(id);',
    replace: '',
  },
  {
    name: 'G6: a webhook of what failed for good is told to come back',
    kind: 'webhooks',
    programs: 5_000,
    in: 'StrangerSecrets.#ask',
    find: 'if (permanent !== undefined) throw permanent;',
    replace: '',
  },
  {
    name: 'G7: a time-out aborts the hydrate that others may want',
    in: 'Hydrator.left',
    find: 'if (aborted !== undefined) this.#giveUp',
    replace: 'if (true) this.#giveUp',
    also: {
      find: 'aborted.reason);',
      replace: 'aborted?.reason);',
    },
  },
  {
    name: "G7: one caller's abort aborts the hydrate of all",
    in: 'Hydrator.left',
    find: 'if (slot.state.waiters.size > 0) return;',
    replace: '',
  },
  {
    name: "G8: an old slot's end removes its successor",
    in: 'Departing.#unindex',
    find: 'if (this.#index.get(slot.id) === slot) this.#index.delete',
    replace: 'this.#index.delete',
  },
  {
    name: 'G9: idle instances stay beyond maxInstances',
    in: 'Eviction.evict',
    find: 'while (this.#instances() > maxInstances) {',
    replace: 'while (this.#instances() > maxInstances + 1) {',
  },
  {
    name: 'G9: a permit too many',
    in: 'Admission.#hasPermit',
    find: 'return this.#running < this.#max &&',
    replace: 'return this.#running <= this.#max &&',
  },
  {
    name: 'G9: a platform takes more than its share of the permits',
    in: 'Admission.#hasPermit',
    find: '&& line.running < line.max;',
    replace: '&& line.running <= line.max;',
  },
  {
    name: 'G9: a permit is never given back by a create that fails',
    in: 'Hydration.#failed',
    find: 'this.#settleWaiters(state, error); } this.#end();',
    replace: 'this.#settleWaiters(state, error); return; } this.#end();',
  },
  {
    name: 'G10: a forged webhook is handled',
    kind: 'webhooks',
    in: 'Identification.#verify',
    find: 'if (verdict !== true)',
    replace: 'if (verdict === undefined)',
  },
  {
    name: 'G11: a handler that throws is answered 503',
    kind: 'webhooks',
    in: 'statusOf',
    find: 'STATUS[code] ?? (isRetryable(code) ? 503 : 500);',
    replace: 'STATUS[code] ?? 503;',
  },
  {
    name: 'G2: a streaming response does not hold its instance',
    kind: 'webhooks',
    in: 'Delivery.#handle',
    find: 'bodyEnd(holds.take(), this.#env)',
    replace: 'bodyEnd(() => {}, this.#env)',
  },
  {
    name: 'G2: waitUntil does not hold its instance',
    kind: 'webhooks',
    in: 'Delivery.#waitUntil',
    find: 'this.#settled(work, holds.take())',
    replace: 'this.#settled(work, () => {})',
  },
  {
    name: 'G12: close abandons nothing at its deadline',
    in: 'Slots.expireAll',
    find: 'for (const slot of this.#departing.all()) this.#expire(slot);',
    replace: '',
  },
  {
    name: 'G12: close leaves those who wait for a read waiting',
    in: 'Closing.#abandon',
    find: 'if (!waiter.settled) waiter.fail(this.refusal(id));',
    replace: '',
  },
  {
    name: 'G13: a sweep checks nothing',
    in: 'Revalidation.#sweep',
    find: 'this.#chunk(this.#index.keys(), this.#index.size);',
    replace: 'this.#chunk(this.#index.keys(), 0);',
  },
  {
    name: 'invalidate leaves the read on the wire as it is',
    in: 'Reader.markInvalidated',
    find: 'if (matches === undefined) wire.invalidated = true;',
    replace: 'if (matches === undefined) wire.invalidated = false;',
  },
  {
    name: 'invalidateWhere leaves the read on the wire as it is',
    in: 'Resolver.#applyActive',
    find: 'if (read.matches.some((matches) => matches(record))) read.invalidated = true;',
    replace: '',
  },
  {
    name: 'the promise of invalidate waits for nothing',
    in: 'Ending.whenGone',
    find: 'else this.#departing.onProgress(slot.id, look);',
    replace: 'else resolve();',
  },
  {
    name: 'an instance is not told that it was superseded while its leases drain',
    in: 'Slots.supersede',
    find: "} else if (state.kind === 'live') { this.supersessionSignals.abort(slot);",
    replace: "} else if (state.kind === 'live') {",
  },
  {
    name: 'an instance is told that it was superseded although it was not',
    in: 'isWanted',
    find: "return state.kind === 'live' ||",
    replace: "return state.kind === 'pending' ||",
    also: {
      find: "state.kind === 'creating' && state.superseded === undefined",
      replace: "state.kind === 'creating' && state.superseded !== undefined",
    },
  },
  {
    name: 'an instance that is being created is not told that it was superseded',
    in: 'Slots.supersede',
    find: 'state.superseded = { reason, cause }; this.supersessionSignals.abort(slot);',
    replace: 'state.superseded = { reason, cause };',
  },
  {
    name: 'close does not tell what is in use that it is superseded',
    in: 'SupersessionSignals.close',
    find: 'for (const slot of slots) this.abort(slot);',
    replace: '',
  },
  {
    name: 'invalidate keeps the secrets',
    in: 'Invalidation.one',
    find: 'this.#secrets.forget(id);',
    replace: '',
  },
  {
    name: 'retire leaves the instance in the index',
    in: 'Slots.retire',
    find: "this.supersede(slot, 'retired', cause);",
    replace: '',
  },
  {
    name: "'drain-first' waits for nothing",
    in: 'Hydrator.#isBlocked',
    find: 'const drainFirst = this.#env.isDrainFirst(slot.factory);',
    replace: 'const drainFirst = false;',
  },
  {
    name: "'drain-first' creates a successor from the row that was read before its predecessor had gone",
    in: 'Hydrator.#rereadIfNeeded',
    find: 'if (!pending.readBeforeDispose ||',
    replace: 'if (pending ||',
  },
  {
    name: "'drain-first' trusts a read that was on the wire when the predecessor went",
    in: 'Reader.markReadBeforeDispose',
    find: 'wire.readBeforeDispose = true;',
    replace: 'wire.readBeforeDispose = false;',
  },
  {
    name: "'drain-first' trusts the row that a webhook was authenticated with",
    kind: 'webhooks',
    in: 'markReadBeforeDispose',
    find: "if (state.kind === 'seen' || state.kind === 'pending') state.readBeforeDispose",
    replace: "if (state.kind === 'pending') state.readBeforeDispose",
  },
  {
    name: "'drain-first' trusts the row of a use that waited for its predecessor to go",
    in: 'markReadBeforeDispose',
    find: "if (state.kind === 'seen' || state.kind === 'pending') state.readBeforeDispose",
    replace: "if (state.kind === 'seen') state.readBeforeDispose",
  },
  {
    name: 'a successor is not woken when its predecessor is out of its way',
    in: 'Departing.progressed',
    find: 'for (const listener of listeners) listener();',
    replace: '',
  },
  {
    name: 'G4: a use is told of an unknown id without asking the store',
    in: 'Resolver.apply',
    find: 'parseRow(id, answer.row,',
    replace: 'parseRow(id, this.#unknown.has(id) ? undefined : answer.row,',
  },
  {
    name: 'G10: a webhook of an unknown id asks the store each time',
    kind: 'webhooks',
    in: 'WebhookAccess.find',
    find: 'if (unknown.has(id)) throw notFound(id);',
    replace: '',
  },
  {
    name: 'G11: an id stays unknown to webhooks for longer than notFoundTtlMs',
    kind: 'webhooks',
    in: 'UnknownIds.has',
    find: 'return until !== undefined && this.#clock.monotonic() < until;',
    replace: 'return until !== undefined;',
  },
  {
    name: 'G11: an id stays unknown to webhooks though a hint has come',
    kind: 'webhooks',
    in: 'Revalidation.#changed',
    find: 'this.#unknown.forget(id);',
    replace: '',
  },
  {
    name: 'G11: an id stays unknown to webhooks though it was invalidated',
    kind: 'webhooks',
    in: 'Invalidation.one',
    find: 'this.#unknown.forget(id);',
    replace: '',
  },
  {
    name: 'G11: the answer of a read that was on the wire when a hint came makes an id unknown',
    kind: 'webhooks',
    programs: 5_000,
    in: 'Reader.markDoubtful',
    find: 'if (wire !== undefined) wire.doubtful = true;',
    replace: '',
  },
  {
    name: 'a clean-up runs outside of around',
    in: 'Ending.#tearDown',
    find: 'this.#env.apart(record, step)',
    replace: 'step()',
  },
  {
    name: 'a clean-up runs first come, first served',
    in: 'Ending.dispose',
    find: 'cleanUps.toReversed()',
    replace: '[...cleanUps]',
  },
];
