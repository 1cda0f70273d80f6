/** Why some changes of the core and `exclusive` survive. See `reasons.mjs` for the form. */
export const CORE = [
  {
    because: 'costs time or memory and changes nothing else',
    changes: [
      { in: 'SlotLease.release', operator: 'ConditionalExpression', from: 'this.#controller !== undefined', to: 'true' },
      { in: 'Slots.hold', from: 'slot.leases === 1' },
      { in: 'Slots.toLive', operator: 'ConditionalExpression', from: 'create.cleanUps.length === 0', to: 'false' },
      { in: 'withFallback', operator: 'ConditionalExpression', from: 'serving === slot', to: 'false' },
      { in: ['Reader.#sendWaiting', 'Reader.#enqueue'], from: 'this.#sending' },
      { in: 'Lane.compact', from: '2 * this.#first' },
      { in: 'Takeovers.soon', from: 'waitMs <= 0' },
      { in: 'handOverSurplus', from: 'plan.size === 0' },
    ],
  },
  {
    because: 'an error in strict mode only, and the bundle of these tests is not strict',
    changes: [{ in: 'markReadBeforeDispose', operator: 'ConditionalExpression', from: "state.kind === 'seen'", to: 'true' }],
  },
  {
    because: 'another number in the text of an error, if two instances of a connection are in use',
    changes: [{ in: 'obstacle', operator: 'MethodExpression', from: 'Math.min(' }],
  },
  {
    because: 'equivalent: no two slots have the same place in the order of use',
    changes: [{ in: ['Recency.leastRecentlyUsed', 'Recency.#up', 'Recency.#down'], from: 'Order <' }],
  },
  {
    because: 'equivalent here: the manual clock has no process to keep alive',
    changes: [
      { in: 'Eviction.#startIdleClock', operator: 'ObjectLiteral', from: '{ ref: false }' },
      { in: ['Revalidation.#schedule', 'Revalidation.#subscribe'], operator: 'ObjectLiteral', from: '{ ref: false }' },
    ],
  },
  {
    because: 'equivalent: superseding the victim in the same step removes it too',
    changes: [{ in: ['Eviction.#takeOut', 'Eviction.remove'], from: 'this.#recency.remove(slot)' }],
  },
  {
    because: 'equivalent: adding a queued slot again has no effect',
    changes: [{ in: 'Slots.release', from: 'slot.queueIndex < 0' }],
  },
  { because: 'flushes an empty queue, or keeps its room, and changes nothing else', changes: [{ in: 'Effects' }] },
  {
    because: 'another order of eviction: only the cost of a guess is bounded',
    changes: [
      { in: 'Sieve.victim', from: 'passed === EFFORT' },
      { in: 'Sieve.victim', from: 'passed += 1' },
    ],
  },
  {
    because: 'equivalent: no two have the same place in the queue',
    changes: [{ in: 'Admission.#admitNext', from: 'waiting.order' }],
  },
  {
    because: 'equivalent: the slot has gone and cannot retire again',
    changes: [{ in: 'CreateContext.retire', from: "this.#phase === 'created'" }],
  },
  {
    because: 'equivalent: missing and undefined read the same',
    changes: [{ in: 'Reader.request', operator: 'ObjectLiteral', from: '{ wire: undefined' }],
  },
  {
    because: 'equivalent: nothing is joined without a refusal or a hydrate',
    changes: [
      {
        in: ['Joining.join', 'Resolver.#serveRow', 'Resolver.#refuseOtherPlatforms'],
        operator: 'ConditionalExpression',
        from: 'refusal !== undefined',
        to: 'true',
      },
    ],
  },
  {
    because: 'equivalent: a pending slot has no instance to pass the reason to',
    changes: [{ in: 'Hydrator.left', operator: 'StringLiteral', from: "'unused'" }],
  },
  {
    because: 'equivalent: a superseded version never comes back',
    changes: [
      {
        in: 'Hydration.#created',
        operator: 'ConditionalExpression',
        from: 'state.superseded === undefined',
        to: 'true',
      },
      { in: 'Hydration.#failure', operator: 'ConditionalExpression', from: 'state.superseded !== undefined', to: 'false' },
    ],
  },
  {
    because: 'equivalent: a superseded slot has no fallback',
    changes: [{ in: 'Hydrator.#giveUp', from: 'slots.index.get(slot.id) === slot' }],
  },
  {
    because: 'equivalent: only the types need the check; no caller gets here otherwise',
    changes: [
      { in: 'Hydrator.left', from: '!isHydrating(slot.state)' },
      { in: ['Query.#askRows', 'Query.#askVersions'], operator: 'OptionalChaining' },
      { in: 'Joining.join', operator: 'ConditionalExpression', from: 'isHydrating(slot.state)', to: 'true' },
      {
        in: ['Resolver.apply', 'Resolver.#refuse', 'Resolver.#serveRow', 'Resolver.#hydrate'],
        operator: 'ConditionalExpression',
        from: 'current !== undefined',
        to: 'true',
      },
      {
        in: ['Delivery.#serve', 'Delivery.#answer', 'Delivery.#handToHost', 'Delivery.#handle'],
        operator: 'OptionalChaining',
      },
      { in: 'customResponse', operator: 'OptionalChaining' },
      { in: ['Ending.dispose', 'Life.#end'], operator: 'OptionalChaining', from: 'factory.dispose?.(' },
      { in: 'Beginning.cancel', operator: 'ConditionalExpression', from: "slot.state.kind === 'pending'", to: 'true' },
      { in: 'Ending.whenGone', operator: 'ConditionalExpression', from: "state.kind === 'abandoned'", to: 'true' },
      { in: ['Secrets.of', 'Life.#start'], operator: 'OptionalChaining', from: 'factory.secrets?.(' },
      { in: 'Holding.#becomeStuck', operator: 'ConditionalExpression', from: "this.#state.kind !== 'stopping'", to: 'false' },
      { in: 'Holding.#settled', operator: 'ConditionalExpression', from: "state.kind === 'stuck'", to: 'true' },
      { in: 'rowOf', operator: 'StringLiteral', from: "'status'" },
    ],
  },
  {
    because: "equivalent: the code only compares with 'version'",
    changes: [
      { in: ['Query.#kind', 'Query.constructor', 'Query.#askRow', 'Query.#rowIn'], operator: 'StringLiteral', from: "'row'" },
    ],
  },
  {
    because: 'equivalent: an entry that ends now is never used',
    changes: [{ in: 'Resolver.#applyRow', from: 'notFoundTtlMs > 0' }],
  },
  {
    because: 'reads the version before the row: one more query',
    changes: [{ in: ['Resolver.apply', 'Joining.join'], operator: 'StringLiteral', from: "'row'" }],
  },
  {
    because: 'equivalent: settling a settled waiter has no effect',
    changes: [
      { in: ['Resolver.apply', 'Resolver.#serveRow', 'Resolver.#unreachable'], from: '!waiter.settled' },
      { in: 'Closing.#abandon', operator: 'ConditionalExpression', from: '!waiter.settled', to: 'true' },
    ],
  },
  {
    because: 'requests a row that is already requested',
    changes: [{ in: 'Resolver.apply', operator: 'ConditionalExpression', from: 'waiting.length === 0', to: 'true' }],
  },
  {
    because: 'equivalent except for one turn of the microtask queue',
    changes: [{ in: 'Resolver.apply', operator: 'ConditionalExpression', from: 'isThenable(parsed)', to: 'true' }],
  },
  {
    because: 'equivalent: a live slot has no fallback to drop',
    changes: [{ in: 'Resolver.#hydrate', operator: 'ConditionalExpression', from: 'current !== lastGood', to: 'true' }],
  },
  {
    because: 'equivalent: a store without watch is checked twice',
    changes: [{ in: ['Revalidation.start', 'Revalidation.#subscribe'], from: 'watch' }],
  },
  { because: 'equivalent: the iterator of live slots ends by itself', changes: [{ in: 'Revalidation' }] },
  { because: 'equivalent: nothing refers to a replaced entry', changes: [{ in: 'Secrets' }] },
  {
    because: 'equivalent: a signal aborts once',
    changes: [{ in: ['LeaseWaiter.constructor', 'LeaseWaiter.#settle'], operator: 'BooleanLiteral' }],
  },
  {
    because: 'equivalent: the failure is ignored',
    changes: [{ in: 'discard', operator: 'OptionalChaining', from: 'body?.cancel' }],
  },
  {
    because: 'equivalent: a proof of the same moment is the same proof',
    changes: [{ in: 'Validity.prove', from: 'sentAt.monotonic >' }],
  },
  {
    because: 'equivalent: what is missing is not JSON, so it is no note either',
    changes: [{ in: 'ClaimNotes.constructor', from: 'text === undefined' }],
  },
  {
    because: 'costs memory: the map grows earlier than necessary',
    changes: [
      { in: 'BoundedMap.set', operator: 'ConditionalExpression', from: 'size === max', to: 'true' },
      { in: 'BoundedMap.set', from: 'size === max', to: 'size !== max' },
      { in: 'BoundedMap.set', from: 'size === max && max < this.#max', to: 'size === max || max < this.#max' },
    ],
  },
  {
    because: 'costs time: the map is copied at its limit',
    changes: [
      { in: 'BoundedMap.set', operator: 'ConditionalExpression', from: 'max < this.#max', to: 'true' },
      { in: 'BoundedMap.set', from: 'max < this.#max', to: 'max <= this.#max' },
    ],
  },
  {
    because: 'costs memory: keeps the list of awaited work longer',
    changes: [
      { in: ['Closing.finished', 'Closing.#close'], operator: 'ConditionalExpression', from: 'this.#accepted === 0', to: 'true' },
    ],
  },
  {
    because: 'costs time: fewer slots are checked in one turn',
    changes: [
      { in: 'Closing.#disposeIdle', from: 'looked += 1', to: 'looked -= 1' },
      { in: 'Closing.#disposeIdle', operator: 'ConditionalExpression', from: 'looked % BATCH > 0', to: 'false' },
      { in: 'Closing.#disposeIdle', from: 'looked % BATCH > 0', to: 'looked % BATCH <= 0' },
    ],
  },
  {
    because: 'equivalent: the code only checks that the brand exists',
    changes: [
      { in: 'ConnectionError.constructor', operator: 'ObjectLiteral', from: '{ value: true }' },
      { in: 'ConnectionError.constructor', operator: 'BooleanLiteral' },
    ],
  },
  {
    because: 'costs time: builds an event that has no listener',
    changes: [
      { in: 'EVENTS', operator: 'BooleanLiteral' },
      {
        in: 'Events.isHeard',
        operator: 'ConditionalExpression',
        from: 'EVENTS[event] || this.#listeners.has(event)',
        to: 'true',
      },
    ],
  },
  {
    because: 'equivalent: any constant does for events without a version',
    changes: [{ in: 'lineOf', operator: 'StringLiteral', from: "''" }],
  },
  { because: 'equivalent: the code only checks that the mark exists', changes: [{ in: 'onlooker', operator: 'BooleanLiteral' }] },
  {
    because: 'costs time: a turn that finds nothing to do',
    changes: [
      {
        in: 'TimerQueue.#remove',
        operator: 'ConditionalExpression',
        from: 'this.#first !== undefined || this.#givingUp',
        to: 'false',
      },
      {
        in: 'TimerQueue.#remove',
        from: 'this.#first !== undefined || this.#givingUp',
        to: 'this.#first !== undefined && this.#givingUp',
      },
      {
        in: ['TimerQueue.#remove', 'TimerQueue.#fire'],
        operator: 'ConditionalExpression',
        from: 'this.#first !== undefined',
        to: 'false',
      },
      { in: ['TimerQueue.#remove', 'TimerQueue.#arm'], operator: 'BooleanLiteral' },
    ],
  },
  {
    because: 'costs time: every deadline has its own timer',
    changes: [
      {
        in: ['ConnectionRegistry.constructor', 'ConnectionRegistry.on', 'ConnectionRegistry.[Symbol.asyncDispose]'],
        operator: 'ArrayDeclaration',
      },
    ],
  },
  {
    because: 'costs time: takes the path of a caller that waits',
    changes: [
      {
        in: 'ConnectionRegistry.#acquire',
        operator: 'ConditionalExpression',
        from: "fresh && slot.state.kind === 'live'",
        to: 'false',
      },
      { in: ['ConnectionRegistry.#leaseNow', 'ConnectionRegistry.#acquire'], operator: 'StringLiteral', from: "'live'" },
    ],
  },
  {
    because: 'equivalent: a disposed slot is in no list',
    changes: [{ in: 'phaseOf', operator: 'StringLiteral', from: "'disposed'" }],
  },
  {
    because: 'equivalent: the id of an existing slot is already checked',
    changes: [
      {
        in: ['ConnectionRegistry.#leaseNow', 'ConnectionRegistry.#acquire'],
        operator: 'ConditionalExpression',
        from: 'slot === undefined',
        to: 'true',
      },
    ],
  },
  {
    because: "equivalent: the code only compares with 'row'",
    changes: [{ in: 'ConnectionRegistry.#acquire', operator: 'StringLiteral', from: "'version'" }],
  },
  {
    because: 'equivalent: a claim without an owner has expired',
    changes: [
      {
        in: ['MemoryClaimServer.owners', 'MemoryClaimServer.#put'],
        operator: 'ConditionalExpression',
        from: 'owner !== undefined',
        to: 'true',
      },
    ],
  },
  {
    because: 'equivalent: only a release has an offer',
    changes: [
      {
        in: ['Holding.releaseWith', 'Holding.#finish'],
        operator: 'ConditionalExpression',
        from: "ending.kind === 'release'",
        to: 'true',
      },
    ],
  },
  {
    because: 'equivalent: stop is only called after start',
    changes: [{ in: 'Heartbeat.stop', operator: 'OptionalChaining', from: 'this.#cancel?.()' }],
  },
  {
    because: 'equivalent: the first update replaces it before it is read',
    changes: [{ in: 'Roster.#previous', operator: 'ArrayDeclaration' }],
  },
  {
    because: 'equivalent: nothing reads a version without an id',
    changes: [{ in: 'Listed.none', operator: 'ArrayDeclaration' }],
  },
  {
    because: 'costs time: sorts ids that are in order',
    changes: [
      { in: 'Listed.read', operator: 'BooleanLiteral' },
      { in: 'Listed.read', operator: 'ConditionalExpression', from: 'id <= copied.ids.at(-1)!', to: 'true' },
      { in: 'Listed.read', operator: 'ConditionalExpression', from: '!sorted', to: 'true' },
    ],
  },
  {
    because: 'costs time: compares ids that are the same',
    changes: [{ in: 'Listed.hasMoreThan', operator: 'ConditionalExpression', from: 'this.ids === before.ids', to: 'false' }],
  },
  {
    because: 'equivalent: an array of numbers keeps nothing beyond its end',
    changes: [{ in: 'inOrderOfHash', operator: 'EqualityOperator' }],
  },
  {
    because: 'another order of the circle: any one does that all replicas compute',
    changes: [
      { in: 'Circle.constructor', operator: 'StringLiteral' },
      { in: 'hash', from: 'at < text.length' },
    ],
  },
  {
    because: 'costs memory: keeps a set without ids',
    changes: [{ in: 'MemoryClaimServer.#put', operator: 'ConditionalExpression', from: 'left?.size === 0', to: 'false' }],
  },
  {
    because: 'equivalent: no two have the same name',
    changes: [{ in: 'Roster.update', from: 'a.replica < b.replica', to: 'a.replica <= b.replica' }],
  },
  { because: 'equivalent: the code only uses the names', changes: [{ in: 'RUNNER_EVENTS', operator: 'BooleanLiteral' }] },
];
