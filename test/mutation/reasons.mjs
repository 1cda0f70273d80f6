/** Why a change survives: the file it is in, what it changes, what it changes it to (any, where left out), and the reason. */
const EQUAL = 'equivalent';
const COST = 'costs time or memory, and changes nothing else';
const GUARD = 'equivalent: the types need the check, and no caller comes here otherwise';

export const REASONS = [
  ['slot/lease.ts', 'this.#controller !== undefined', 'true', COST],
  ['slot/recency.ts', 'Order <', '', `${EQUAL}: no two slots have the same place in the order of use`],
  ['slot/eviction.ts', '{ ref: false }', '{}', `${EQUAL}: a timer that does not say so holds nothing open either`],
  ['slot/eviction.ts', 'this.#recency.remove(slot)', '', `${EQUAL}: the victim is superseded in the same step, and leaves the order then`],
  ['slot/slots.ts', "slot.queueIndex < 0", '', `${EQUAL}: what stands in the queue already is put there again, to no effect`],
  ['slot/slots.ts', 'create.cleanUps.length === 0', 'false', COST],
  ['slot/slots.ts', 'slot.leases === 1', '', COST],
  ['slot/effects.ts', '', '', 'costs a flush of an empty queue, or the room of one, and changes nothing else'],
  ['slot/sieve.ts', '', '', 'another order of eviction that is as good a guess: only the cost of a bad one is bounded'],
  ['hydrate/admission.ts', 'waiting.order', '', `${EQUAL}: no two have the same place in the queue`],
  ['hydrate/context.ts', "this.#phase === 'created'", '', `${EQUAL}: the slot is gone, and retires no more`],
  ['hydrate/freshness.ts', '[]', '', `${EQUAL}: an entry of no lane is passed over`],
  ['hydrate/freshness.ts', "'row'", '', `${EQUAL}: a lane and a read are only asked whether they are of versions`],
  ['hydrate/freshness.ts', '{ wire: undefined', '', EQUAL],
  ['hydrate/freshness.ts', 'this.#sending', '', COST],
  ['hydrate/freshness.ts', 'true', 'false', COST],
  ['hydrate/freshness.ts', '{…', '{}', COST],
  ['hydrate/hydrator.ts', "'ended'", '', `${EQUAL}: any phase but two means that it is over`],
  ['hydrate/hydrator.ts', "'unused'", '', `${EQUAL}: a pending slot has no instance that the reason could be told of`],
  ['hydrate/hydrator.ts', 'afterFailures > 0', '', `${EQUAL}: there is nothing to forget`],
  ['hydrate/hydrator.ts', 'state.superseded === undefined', 'true', `${EQUAL}: a version that was superseded does not come back`],
  ['hydrate/hydrator.ts', 'slots.index.get(slot.id) === slot', '', `${EQUAL}: a superseded slot has no fallback`],
  ['hydrate/hydrator.ts', "'creating'", '', `${EQUAL}: the branch after it says the same of what is older, and nothing newer is being created`],
  ['hydrate/hydrator.ts', '', '', GUARD],
  ['hydrate/query.ts', "'row'", '', `${EQUAL}: a query is only asked whether it is of versions`],
  ['hydrate/query.ts', '', '', GUARD],
  ['hydrate/resolver.ts', 'notFoundTtlMs > 0', '', `${EQUAL}: it is believed until now, which is not at all`],
  ['hydrate/resolver.ts', 'false', 'true', `${EQUAL}: nobody looks at these of a read that was never sent`],
  ['hydrate/resolver.ts', "'row'", '', 'asks for the version first, and then for the row: a query more'],
  ['hydrate/resolver.ts', 'current.checkedAt >= sentAt', '', `${EQUAL}: of the same read, it is the same version`],
  ['hydrate/resolver.ts', '!waiter.settled', '', `${EQUAL}: who has been told already is told again, to no effect`],
  ['hydrate/resolver.ts', 'waiting.length === 0', 'true', 'asks for a row that is being asked for already'],
  ['hydrate/resolver.ts', '', '', GUARD],
  ['hydrate/revalidation.ts', '{ ref: false }', '{}', `${EQUAL}: a timer that does not say so holds nothing open either`],
  ['hydrate/revalidation.ts', 'watch', '', `${EQUAL}: a store without watch is asked twice whether it has one`],
  ['hydrate/revalidation.ts', '', '', `${EQUAL}: the iterator of what lives ends by itself`],
  ['hydrate/secrets.ts', '', '', `${EQUAL}: nobody has an entry that was replaced`],
  ['hydrate/waiter.ts', '{ once: true }', '', `${EQUAL}: a signal aborts once`],
  ['hydrate/waiter.ts', 'true', 'false', `${EQUAL}: a signal aborts once`],
  ['hydrate/waiter.ts', '', '', GUARD],
  ['exclusive/hold.ts', '', '', `${EQUAL}: a proof of the same moment is the same proof`],
  ['exclusive/notes.ts', '', '', `${EQUAL}: no text is no JSON, which is no note either`],
  ['exclusive/attempt.ts', '{ once: true }', '', `${EQUAL}: a signal aborts once`],
  ['exclusive/attempt.ts', 'provision?.', '', GUARD],
  ['exclusive/listing.ts', 'this.#versions?.get', '', GUARD],
  ['exclusive/roster.ts', 'a.replica < b.replica', '', `${EQUAL}: no two have the same name`],
  ['exclusive/share.ts', 'members === 0', '', `${EQUAL}: a rank among none is below 0`],
  ['exclusive/takeovers.ts', 'waitMs <= 0', '', COST],
  ['exclusive/balance.ts', 'plan.size === 0', '', COST],
  ['exclusive/events.ts', 'true', 'false', `${EQUAL}: only the names are looked at`],
  ['exclusive/failures.ts', 'this.failed?.count', '', GUARD],
];

/** @returns undefined where none has been found: then a test is missing */
export function reasonFor({ file, original, replacement }) {
  return REASONS.find(([where, what, into]) => file.endsWith(where) && original.includes(what) && (into === '' || into === replacement))?.[3];
}
