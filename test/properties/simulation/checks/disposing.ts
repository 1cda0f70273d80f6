import type { DisposeReason } from 'hydrant';
import type { Hold, Instance, Moment } from '../observed.js';
import { heldBy, isAlive, isGood, isIdle, lastUsed, readsOf, sighting } from '../queries.js';
import type { World } from '../world.js';

/** G3: once, and G2: not in use, unless a drain deadline has passed and the lease's signal has aborted. */
export function inTime(world: World, instance: Instance): void {
  if (instance.disposals > 1) world.violate('G3', `instance ${instance.n} was disposed of ${instance.disposals} times`);
  for (const hold of heldBy(instance)) {
    if (!deadlinePassed(world, hold)) {
      world.violate('G2', `dispose of instance ${instance.n} began while ${hold.demand.kind} ${hold.demand.n} held it`);
    } else if (hold.lease !== undefined && !hold.lease.signal.aborted) {
      world.violate(
        'G2',
        `dispose of instance ${instance.n} began under ${hold.demand.kind} ${hold.demand.n}, whose signal had not aborted`,
      );
    }
  }
}

/**
 * The promise of `invalidate`: the dispose of every instance that it ended has begun. Instances that were superseded before
 * do not count.
 */
export function invalidatedAreGone(world: World, id: string, at: Moment): void {
  if (!world.settings.factory.dispose) return;
  for (const instance of world.instances) {
    const { creation, born } = instance;
    if (instance.id !== id || !isAlive(instance) || born.seq > at.seq || creation.read.sent.seq > at.seq) continue;
    if (superseded(world, instance, at)) continue;
    if ([...instance.holds].some(({ staleSince }) => staleSince !== undefined && staleSince.seq < at.seq)) continue;
    if (instance.retired !== undefined || [...instance.holds].some(({ lease }) => lease === undefined)) continue;
    world.violate('invalidate', `its promise resolved while instance ${instance.n}, which it ended, was live`);
  }
}

/** An earlier call or a newer read ended it before, at the latest while it was created. */
function superseded(world: World, { id, version, creation }: Instance, at: Moment): boolean {
  if (world.invalidatedSince(id, creation.read.sent.seq, at.seq)) return true;
  for (const read of readsOf(world, id)) {
    if (read.answered === undefined || read.answered.seq > at.seq) continue;
    if (read.sent.seq > creation.read.sent.seq && sighting(read, id)?.version !== version) return true;
  }
  return false;
}

/** G2: the signal of a lease aborts for no other reason than a drain deadline. */
export function deadlinePassed(world: World, hold: Hold): boolean {
  const now = world.clock.monotonic();
  if (world.closed !== undefined && now >= world.closed.deadline) return true;
  const since = hold.lease === undefined ? takenAt(hold) : hold.staleSince?.t;
  return since !== undefined && now >= since + world.settings.drainTimeoutMs;
}

/** Through a webhook the lease cannot be seen: it became stale after it was taken, at the earliest then. */
function takenAt({ since, instance, demand }: Hold): number {
  // It is authenticated again under the lease.
  return demand.authenticatedAgain ? Math.max(instance.born.t, demand.began.t) : since.t;
}

/** `dispose` gets the true reason. */
export function reasonHolds(world: World, instance: Instance, reason: DisposeReason): void {
  const now = world.clock.monotonic();
  const complain = (why: string): void =>
    world.violate('reasons', `instance ${instance.n} was disposed of as '${reason}', but ${why}`);
  switch (reason) {
    case 'idle': {
      const idleMs = now - lastUsed(world, instance, 'earliest').t;
      if (idleMs < world.settings.idleTimeoutMs) complain(`it was in use ${idleMs} ms ago`);
      break;
    }
    case 'evicted':
      evictedInOrder(world, instance, complain);
      break;
    case 'stopped':
      if (!rowSaid(world, instance, (seen) => seen?.status === 'stopped')) complain('no row said so');
      break;
    case 'deleted':
      if (!rowSaid(world, instance, (seen) => seen === undefined)) complain('no read found it gone');
      break;
    case 'replaced':
      if (!rowSaid(world, instance, (seen) => seen !== undefined && seen.version !== instance.version))
        complain('no read found another version');
      break;
    case 'invalidated':
      if (!world.invalidatedSince(instance.id, instance.creation.read.sent.seq)) complain('nobody invalidated it');
      break;
    case 'retired':
      if (instance.retired === undefined && instance.creation.retired === undefined) complain('nobody reported it dead');
      break;
    case 'closing':
      if (world.closed === undefined) complain('close was not called');
      break;
    case 'unused':
      break;
  }
}

function rowSaid(world: World, instance: Instance, says: (seen: ReturnType<typeof sighting>) => boolean): boolean {
  for (const read of readsOf(world, instance.id)) {
    if (read.sent.seq < instance.creation.read.sent.seq) return false;
    if (isGood(read) && says(sighting(read, instance.id))) return true;
  }
  return false;
}

function evictedInOrder(world: World, instance: Instance, complain: (why: string) => void): void {
  const alive = world.instances.filter(isAlive).length + 1;
  if (alive <= world.settings.maxInstances && !world.creations.some((creation) => creation.ended === undefined)) {
    complain(`there were only ${alive} instances`);
  }
  const used = lastUsed(world, instance, 'earliest');
  if (!world.isPast(used) || world.settings.eviction === 'sieve') return;
  for (const other of world.instances) {
    if (
      other === instance
      || !isAlive(other)
      || !world.isPast(other.born)
      || !isIdle(world, other)
      || world.settings.keepLastGood
    )
      continue;
    const otherUsed = lastUsed(world, other, 'latest');
    if (
      otherUsed.seq < used.seq
      && world.isPast(otherUsed)
      && !beingTaken(world, other)
      && ![...other.holds].some(({ brokeOffAt }) => brokeOffAt !== undefined)
    ) {
      complain(`instance ${other.n} was idle and had not been used for longer`);
    }
  }
}

/** A use may be entitled to it already, although its work has not begun. */
const beingTaken = (world: World, instance: Instance): boolean =>
  world.demands.some((demand) => demand.id === instance.id && demand.state === 'waiting');
