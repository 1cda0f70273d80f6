/** A deliberate mistake: one place of the source, and what it is changed into. */
export interface Mutant {
  /** What is broken, in the words of the guarantee that it breaks. */
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** A second place of the same file, where the first alone would be made up for. */
  readonly also?: { readonly find: string; readonly replace: string };
  readonly kind?: 'uses' | 'webhooks';
}

/** Mistakes that people make in such a library, each of which the simulation must see. */
export const mutants: readonly Mutant[] = [
  {
    name: 'G1: a use that arrives while the instance is created starts another create',
    file: 'hydrate/resolver.ts',
    find: 'if (current?.version === slot.version) {',
    replace: "if (current?.version === slot.version && current.state.kind === 'live') {",
    also: {
      find: 'this.#confirms(answer, current)) {',
      replace: "this.#confirms(answer, current) && current.state.kind === 'live') {",
    },
  },
  {
    name: 'G2: a release disposes of a superseded instance although others hold it',
    file: 'slot/slots.ts',
    find: 'if (slot.leases > 0) return;',
    replace: "if (slot.leases > 0 && slot.state.kind !== 'draining') return;",
  },
  {
    name: 'G2: what is replaced is disposed of at once',
    file: 'slot/slots.ts',
    find: 'if (slot.leases === 0) this.#dispose(slot',
    replace: 'if (slot.leases >= 0) this.#dispose(slot',
  },
  {
    name: 'G2: the lease is counted after the await that delivers it',
    file: 'slot/slots.ts',
    find: '      this.hold(slot);\n      waiter.deliver(slot);',
    replace: '      waiter.deliver(slot);\n      queueMicrotask(() => this.hold(slot));',
  },
  {
    name: 'G3: a create that finishes after everyone left is lost',
    file: 'hydrate/hydration.ts',
    find: 'slots.discard(slot, context, instance, { reason: state.reason, cause: undefined });',
    replace: '',
  },
  {
    name: 'G3: an instance that is evicted is forgotten and never disposed of',
    file: 'slot/eviction.ts',
    find: "this.#host.supersede(victim, 'evicted');",
    replace: 'this.#recency.remove(victim); break;',
  },
  {
    name: 'G4: a use attaches to the read on the wire',
    file: 'reads/reader.ts',
    find: '    if (reads.next === undefined) {',
    replace:
      '    if (reads.wire !== undefined) {\n      if (waiter !== undefined) reads.wire.waiters.push(waiter);\n      return;\n    }\n    if (reads.next === undefined) {',
  },
  {
    name: 'G4: a late answer counts',
    file: 'reads/query.ts',
    find: '    if (this.#over) return;\n    this.#over = true;',
    replace: '    this.#over = true;',
  },
  {
    name: 'G4: the age of an answer is taken when it comes, not when it was asked for',
    file: 'hydrate/resolver.ts',
    find: 'this.#confirms(answer, current)) {\n      current.checkedAt = read.sentAt;',
    replace: 'this.#confirms(answer, current)) {\n      current.checkedAt = this.#env.clock.monotonic();',
  },
  {
    name: 'G4: a stopped row leaves its instance serving',
    file: 'hydrate/resolver.ts',
    find: "        'stopped',\n",
    replace: '        undefined,\n',
  },
  {
    name: 'G4: a row that does not parse leaves the instance of the version before it serving',
    file: 'hydrate/resolver.ts',
    find: "this.#refuse(read, replaced ? 'replaced' : undefined, row.error);",
    replace: 'this.#refuse(read, undefined, row.error);',
  },
  { name: 'G6: a failure is not backed off from', file: 'backoff.ts', find: 'until: now + delayMs,', replace: 'until: now,' },
  {
    name: 'G6: the back-off of one version holds for the next',
    file: 'backoff.ts',
    find: 'return failures?.version === version ? failures : undefined;',
    replace: 'return failures;',
  },
  {
    name: 'G6: a failure for good is tried again after a back-off',
    file: 'hydrate/permanent.ts',
    find: 'cause.retryable !== false',
    replace: 'cause.retryable !== undefined',
  },
  {
    name: 'G6: a use of what failed for good is told to come back',
    file: 'hydrate/resolver.ts',
    find: 'if (permanent !== undefined) return permanent;',
    replace: '',
  },
  {
    name: 'G7: a time-out aborts the hydrate that others may want',
    file: 'hydrate/hydrator.ts',
    find: 'if (aborted !== undefined) this.#giveUp',
    replace: 'if (true) this.#giveUp',
    also: { find: 'aborted.reason);', replace: 'aborted?.reason);' },
  },
  {
    name: "G7: one caller's abort aborts the hydrate of all",
    file: 'hydrate/hydrator.ts',
    find: 'if (slot.state.waiters.size > 0) return;',
    replace: '',
  },
  {
    name: "G8: an old slot's end removes its successor",
    file: 'slot/slots.ts',
    find: 'if (this.index.get(slot.id) === slot) this.index.delete',
    replace: 'this.index.delete',
  },
  {
    name: 'G9: idle instances stay beyond maxInstances',
    file: 'slot/eviction.ts',
    find: 'while (this.#host.instances() > maxInstances) {',
    replace: 'while (this.#host.instances() > maxInstances + 1) {',
  },
  {
    name: 'G9: a permit too many',
    file: 'hydrate/admission.ts',
    find: 'return this.#running < this.#max &&',
    replace: 'return this.#running <= this.#max &&',
  },
  {
    name: 'G9: a platform takes more than its share of the permits',
    file: 'hydrate/admission.ts',
    find: '&& line.running < line.max;',
    replace: '&& line.running <= line.max;',
  },
  {
    name: 'G9: a permit is never given back by a create that fails',
    file: 'hydrate/hydration.ts',
    find: '      this.#tell(state, error);\n    }\n    this.#end();\n  }\n\n  /** It has not',
    replace: '      this.#tell(state, error);\n      return;\n    }\n    this.#end();\n  }\n\n  /** It has not',
  },
  {
    name: 'G10: a forged webhook is handled',
    kind: 'webhooks',
    file: 'webhook/identification.ts',
    find: 'if (verdict !== true)',
    replace: 'if (verdict === undefined)',
  },
  {
    name: 'G11: a handler that throws is answered 503',
    kind: 'webhooks',
    file: 'errors.ts',
    find: 'RETRYABLE.has(code) ? 503 : STATUS[code] ?? 500;',
    replace: 'RETRYABLE.has(code) ? 503 : STATUS[code] ?? 503;',
  },
  {
    name: 'G2: a streaming response does not hold its instance',
    kind: 'webhooks',
    file: 'webhook/delivery.ts',
    find: 'resolve(await this.#sendable(response, holds.take()));',
    replace: 'resolve(await this.#sendable(response, () => {}));',
  },
  {
    name: 'G2: waitUntil does not hold its instance',
    kind: 'webhooks',
    file: 'webhook/delivery.ts',
    find: 'this.#settled(work, holds.take())',
    replace: 'this.#settled(work, () => {})',
  },
  {
    name: 'G12: close abandons nothing at its deadline',
    file: 'slot/slots.ts',
    find: 'for (const slot of this.#departing.all()) this.#expire(slot);',
    replace: '',
  },
  {
    name: 'G12: close leaves those who wait for a read waiting',
    file: 'closing.ts',
    find: 'if (!waiter.settled) waiter.fail(this.refusal(id));',
    replace: '',
  },
  {
    name: 'G13: a sweep checks nothing',
    file: 'reads/revalidation.ts',
    find: 'this.#chunk(this.#index.keys(), this.#index.size);',
    replace: 'this.#chunk(this.#index.keys(), 0);',
  },
  {
    name: 'invalidate leaves the read on the wire as it is',
    file: 'reads/reader.ts',
    find: 'if (matches === undefined) wire.flagged = true;',
    replace: 'if (matches === undefined) wire.flagged = false;',
  },
  {
    name: 'invalidateWhere leaves the read on the wire as it is',
    file: 'hydrate/resolver.ts',
    find: 'if (read.matches.some((matches) => matches(record))) read.flagged = true;',
    replace: '',
  },
  {
    name: 'the promise of invalidate waits for nothing',
    file: 'slot/slots.ts',
    find: 'else this.#departing.onProgress(slot.id, look);',
    replace: 'else resolve();',
  },
  {
    name: 'an instance is not told that it was superseded while its leases drain',
    file: 'slot/slots.ts',
    find: "    } else if (state.kind === 'live') {\n      this.supersessionSignals.abort(slot);",
    replace: "    } else if (state.kind === 'live') {",
  },
  {
    name: 'an instance is told that it was superseded although it was not',
    file: 'slot/supersession-signals.ts',
    find: "return state.kind === 'live' ||",
    replace: "return state.kind === 'pending' ||",
    also: {
      find: "state.kind === 'creating' && state.superseded === undefined",
      replace: "state.kind === 'creating' && state.superseded !== undefined",
    },
  },
  { name: 'invalidate keeps the secrets', file: 'invalidation.ts', find: '    this.#secrets.forget(id);\n', replace: '' },
  {
    name: 'retire leaves the instance in the index',
    file: 'slot/slots.ts',
    find: "    this.supersede(slot, 'retired', cause);\n",
    replace: '',
  },
  {
    name: "'drain-first' waits for nothing",
    file: 'hydrate/hydrator.ts',
    find: 'const drainFirst = this.#env.isDrainFirst(slot.factory);',
    replace: 'const drainFirst = false;',
  },
  {
    name: "'drain-first' creates a successor from the row that was read before its predecessor had gone",
    file: 'hydrate/hydrator.ts',
    find: 'if (!pending.outdated ||',
    replace: 'if (pending ||',
  },
  {
    name: "'drain-first' trusts a read that was on the wire when the predecessor went",
    file: 'reads/reader.ts',
    find: 'wire.outdated = true;',
    replace: 'wire.outdated = false;',
  },
  {
    name: "'drain-first' trusts the row that a webhook was authenticated with",
    kind: 'webhooks',
    file: 'slot/slots.ts',
    find: "if (state.kind === 'seen' || state.kind === 'pending') state.outdated",
    replace: "if (state.kind === 'pending') state.outdated",
  },
  {
    name: 'a successor is not woken when its predecessor is out of its way',
    file: 'slot/departing.ts',
    find: 'for (const listener of listeners) listener();',
    replace: '',
  },
  {
    name: 'G4: a use is told of an unknown id without asking the store',
    file: 'hydrate/resolver.ts',
    find: 'parseRow(id, answer.row,',
    replace: 'parseRow(id, this.#unknown.has(id) ? undefined : answer.row,',
  },
  { name: 'a clean-up runs outside of around', file: 'slot/slots.ts', find: 'this.#env.apart(record, step)', replace: 'step()' },
  {
    name: 'a clean-up runs first come, first served',
    file: 'slot/slots.ts',
    find: 'cleanUps.toReversed()',
    replace: '[...cleanUps]',
  },
];
