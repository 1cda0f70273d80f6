import { isConnectionError, type ConnectionError } from 'hydrant';
import { Obeyed } from '../factory.js';
import type { Failure } from '../model.js';
import type { Demand } from '../observed.js';
import { isAlive, isFreshFor, isGood, noPermitLeft, readsOf, sighting, withPermit } from '../queries.js';
import type { World } from '../world.js';
import { lacksPlace, placesWereTaken } from './places.js';
import { superseded } from './resting.js';
import { storeFailedOver } from './serving.js';

/** Every refusal is owed to something that happened. */
export function isDue(world: World, demand: Demand, error: unknown, failures: readonly Failure[]): void {
  const complain = (guarantee: string, why: string): void =>
    world.violate(guarantee, `${demand.kind} ${demand.n} of ${demand.id} failed ${describe(error)}: ${why}`);

  const closedBefore = world.closed !== undefined && world.closed.called.seq < demand.began.seq;
  if (demand.controller?.signal.aborted === true && error === demand.controller.signal.reason) return;
  if (!isConnectionError(error)) {
    complain('G7', 'which is neither its own reason nor an error of the registry');
    return;
  }
  if (error.connectionId !== demand.id && !isConnectionError(error, 'REGISTRY_CLOSED'))
    complain('errors', `its connectionId is ${error.connectionId}`);
  if (closedBefore && error.code !== 'REGISTRY_CLOSED') complain('G12', 'it came after close and must be refused as such');
  const why = reason(world, demand, error, failures);
  if (why !== undefined) complain(...why);
}

/** Why this refusal is not owed to anything, if it is not. */
export function reason(
  world: World,
  demand: Demand,
  error: ConnectionError,
  failures: readonly Failure[],
): [string, string] | undefined {
  const now = world.clock.monotonic();
  const { settings } = world;
  switch (error.code) {
    case 'CONNECTION_NOT_FOUND':
      return missing(world, demand) ? undefined : ['G4', 'no read that it may rest on found nothing'];
    case 'CONNECTION_STOPPED':
      return saw(world, demand, (seen) => seen?.status === 'stopped' && !seen.broken)
        ? undefined
        : ['G4', 'no read that it may rest on found it stopped'];
    case 'INVALID_RECORD':
      return saw(world, demand, (seen) => seen?.broken === true)
        ? undefined
        : ['G4', 'no read that it may rest on found a broken row'];
    case 'STORE_UNAVAILABLE': {
      if (neededNoRead(world, demand)) return ['G4', 'its instance had been confirmed recently enough, and needed no read'];
      for (const read of readsOf(world, demand.id)) {
        if (!isFreshFor(demand, read)) break;
        if (read.failed || read.late || (read.answered === undefined && now >= read.sent.t + settings.storeTimeoutMs))
          return undefined;
      }
      return ['G4', 'no read of its own failed'];
    }
    case 'HYDRATION_FAILED':
      if (error.cause instanceof Obeyed && error.cause.creation.abortedByWaiters)
        return ['G7', 'it paid for the abort of others'];
      if (failures.some((failure) => failure.error === error && failure.at.seq > demand.began.seq)) return undefined;
      if (failedForGood(world, demand, error, failures)) return undefined;
      return ['G6', 'no hydrate failed while it waited'];
    case 'HYDRATION_TIMEOUT':
      return failures.some((failure) => failure.error === error && failure.at.seq > demand.began.seq)
        ? undefined
        : ['G6', 'no hydrate timed out while it waited'];
    case 'BACKING_OFF':
      return backsOff(world, demand, error, failures);
    case 'OVERLOADED': {
      if (lacksPlace(error)) return placesWereTaken(world, demand);
      const hydrating = withPermit(world);
      // One call for secrets may keep several hydrates waiting.
      return noPermitLeft(world, demand.id, hydrating) || world.secretsCalls.some((call) => !world.isPast(call.ended))
        ? undefined
        : ['G9', `there was a permit: in use were those of ${hydrating.join(' ')}`];
    }
    case 'ACQUIRE_TIMEOUT':
      // Its instance had to go while it was authenticated again: nobody sees that of a factory without dispose.
      if (
        demand.authenticatedAgain
        && world.instances.some(
          ({ id, disposeBegan }) => id === demand.id && (disposeBegan !== undefined || !settings.factory.dispose),
        )
      )
        return undefined;
      return now >= demand.began.t + demand.timeoutMs
        ? undefined
        : ['G7', `after ${now - demand.began.t} of ${demand.timeoutMs} ms`];
    case 'REGISTRY_CLOSED':
      if (world.closed === undefined) return ['G12', 'close was not called'];
      return world.closed.called.seq < demand.began.seq || now >= world.closed.deadline
        ? undefined
        : ['G12', 'it was accepted before close, and its deadline has not passed'];
    case 'UNAUTHENTICATED':
    case 'BODY_TOO_LARGE':
    case 'HANDLER_FAILED':
      return demand.kind === 'webhook' ? undefined : ['errors', 'such a failure is not for a use'];
    default:
      return ['errors', 'such a failure is not for a use'];
  }
}

/** The instance that was live and fresh enough when the use came. */
function neededNoRead(world: World, demand: Demand): boolean {
  const { freshness, began, quietBefore } = demand;
  if (freshness === 'strict' || !world.settings.factory.dispose) return false;
  return world.instances.some((instance) => {
    if (instance.id !== demand.id || !isAlive(instance) || instance.born.seq > quietBefore || superseded(world, instance).may)
      return false;
    for (const read of readsOf(world, demand.id)) {
      // Only whole milliseconds count, rounded against the live instance.
      if (read.sent.t < began.t - freshness + 2) return false;
      if (isGood(read) && read.answered!.seq < quietBefore && sighting(read, demand.id)?.version === instance.version)
        return true;
    }
    return false;
  });
}

type Seen = ReturnType<typeof sighting>;

function saw(world: World, demand: Demand, matches: (seen: Seen) => boolean): boolean {
  for (const read of readsOf(world, demand.id)) {
    if (!isFreshFor(demand, read)) return false;
    if (isGood(read) && matches(sighting(read, demand.id))) return true;
  }
  return false;
}

/** For `notFoundTtlMs` a webhook may be refused an unknown id without a read. A use always asks the store. */
function missing(world: World, demand: Demand): boolean {
  const notFoundTtlMs = demand.kind === 'webhook' ? world.settings.notFoundTtlMs : 0;
  for (const read of readsOf(world, demand.id)) {
    const remembered =
      notFoundTtlMs > 0
      && read.sent.t >= demand.began.t - notFoundTtlMs
      && !forgotten(world, demand, read.sent.seq)
      // A read that was on the wire when a hint came may be too old to know.
      && !hintedSince(world, demand, read.sent.seq);
    if (!isFreshFor(demand, read) && !remembered && read.sent.t < demand.began.t - notFoundTtlMs) return false;
    if (!isFreshFor(demand, read) && !remembered) continue;
    if (isGood(read) && sighting(read, demand.id) === undefined) return true;
  }
  return false;
}

const forgotten = (world: World, demand: Demand, seq: number): boolean =>
  world.invalidations.get(demand.id)?.some((at) => !world.byPredicate.has(at) && at.seq > seq && at.seq < demand.began.seq)
  ?? false;

const hintedSince = (world: World, demand: Demand, seq: number): boolean =>
  world.hints.some(
    (hint) => (hint.id === demand.id || hint.id === undefined) && hint.at.seq > seq && hint.at.seq < demand.began.seq,
  );

/** The version that it may have read had failed for good, and was not invalidated since. */
function failedForGood(world: World, demand: Demand, error: ConnectionError, failures: readonly Failure[]): boolean {
  return failures.some(
    (failure) =>
      failure.error === error
      && !error.retryable
      && failure.retryAfterMs === Number.POSITIVE_INFINITY
      && !world.invalidatedSince(demand.id, failure.at.seq, demand.began.seq)
      && (saw(world, demand, (seen) => seen?.version === failure.version) || storeFailedOver(world, demand, failure)),
  );
}

function backsOff(
  world: World,
  demand: Demand,
  error: ConnectionError,
  failures: readonly Failure[],
): [string, string] | undefined {
  const now = world.clock.monotonic();
  const wait = error.retryAfterMs;
  if (wait === undefined || wait <= 0 || wait > world.settings.backoffMaxMs) return ['G6', `its retryAfterMs is ${wait}`];
  for (const failure of failures) {
    const until = failure.at.t + failure.retryAfterMs;
    if (failure.strangers && demand.kind !== 'webhook') continue;
    if (failure.id !== demand.id || until <= now || world.invalidatedSince(demand.id, failure.at.seq, world.quiet.seq)) continue;
    if (!saw(world, demand, (seen) => seen?.version === failure.version) && !storeFailedOver(world, demand, failure)) continue;
    if (now + wait <= until + 1) return undefined;
  }
  return ['G6', `no version that it may have read is backing off for ${wait} ms`];
}

const describe = (error: unknown): string => isConnectionError(error) ? `with ${error.code}` : `with ${String(error)}`;
