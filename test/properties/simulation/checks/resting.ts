import type { Creation, Demand, Hold, Instance } from '../observed.js';
import {
  heldBy,
  isAlive,
  isGood,
  isIdle,
  isRunning,
  isTelling,
  noPermitLeft,
  onTheWire,
  readsOf,
  secretsRunning,
  sighting,
  surelyTimedOut,
} from '../queries.js';
import type { World } from '../world.js';

/*
 * Holds whenever nothing is left to run and every caller waits for the world outside.
 */

/** Liveness: each caller waits within its deadline, and for a known cause. */
export function everyWaitHasACause(world: World): void {
  for (const demand of world.demands) {
    if (demand.state !== 'waiting' || demand.kind === 'webhook') continue;
    const now = world.clock.monotonic();
    if (demand.controller?.signal.aborted === true) world.violate('G7', `${demand.kind} ${demand.n} was aborted and is not told`);
    if (now >= demand.began.t + demand.timeoutMs)
      world.violate('liveness', `${demand.kind} ${demand.n} waits on after its ${demand.timeoutMs} ms`);
    else if (!hasCause(world, demand))
      world.violate('liveness', `${demand.kind} ${demand.n} of ${demand.id} waits for nothing that can be seen`);
  }
}

function hasCause(world: World, demand: Demand): boolean {
  const { id } = demand;
  const { factory, replacement } = world.settings;
  if (world.reads.some((read) => onTheWire(world, read))) return true;
  const hydrating: string[] = [];
  for (const creation of world.creations) {
    if (!isRunning(creation) || surelyTimedOut(world, creation)) continue;
    if (creation.id === id) return true;
    hydrating.push(creation.id);
  }
  for (const call of world.secretsCalls) {
    if (!secretsRunning(world, call)) continue;
    if (call.id === id) return true;
    // Several hydrates, of which all but the last are superseded, may wait for the same answer, each with a permit.
    // A caller that left by its timeout left its hydrate running.
    const waiting = world.demands.filter(
      (other) => other.id === call.id && (other.settled?.seq ?? Number.POSITIVE_INFINITY) > call.began.seq,
    ).length;
    for (let count = Math.max(1, waiting); count > 0; count--) hydrating.push(call.id);
  }
  if (noPermitLeft(world, id, hydrating)) return true;
  return replacement === 'drain-first' && (!factory.dispose || cleaningUp(world, id)
    || world.instances.some((instance) => instance.id === id && !isGone(world, instance)));
}

/** The clean-ups of a failed create also come first. */
const cleaningUp = (world: World, id: string): boolean =>
  world.creations.some(
    (creation) =>
      creation.id === id
      && creation.failed
      && creation.cleanUps.ran > 0
      && world.clock.monotonic() < creation.ended!.t + world.settings.disposeTimeoutMs
      && hasCleanUpPending(world, creation.n),
  );

const hasCleanUpPending = (world: World, n: number): boolean =>
  world.pending.some((item) => item.kind === 'cleanUp' && item.label.endsWith(`of create ${n}`));

function isGone(world: World, instance: Instance): boolean {
  const { disposeBegan, disposeEnded, creation } = instance;
  if (disposeBegan === undefined) return false;
  if (world.clock.monotonic() >= disposeBegan.t + world.settings.disposeTimeoutMs) return true;
  return disposeEnded !== undefined && !hasCleanUpPending(world, creation.n);
}

/** G9: idle instances are evicted while idle and leased ones together are too many. */
export function withinMaxInstances(world: World): void {
  const { maxInstances, factory, keepLastGood } = world.settings;
  if (!factory.dispose) return;
  const alive = world.instances.filter(isAlive);
  if (alive.length <= maxInstances) return;
  const idle = alive.find((instance) => isIdle(world, instance) && !(keepLastGood && isFallback(world, instance)));
  if (idle !== undefined)
    world.violate('G9', `instance ${idle.n} is idle while ${alive.length} of at most ${maxInstances} are live`);
}

/** Another version was read, and until that lives this one is kept for it to fall back on. */
const isFallback = (world: World, instance: Instance): boolean => superseded(world, instance).may;

/** Leases on a superseded instance are stale, and an instance is superseded only for a reason. */
export function staleIsTrue(world: World): void {
  for (const hold of world.holds) {
    if (hold.released || hold.lease === undefined) continue;
    const { stale } = hold.lease;
    const why = superseded(world, hold.instance);
    if (why.must && !stale)
      world.violate(
        'stale',
        `the lease of ${hold.demand.kind} ${hold.demand.n} on instance ${hold.instance.n} is not stale, although it `
          + `was ${why.how}`,
      );
    if (!why.may && stale)
      world.violate(
        'stale',
        `the lease of ${hold.demand.kind} ${hold.demand.n} on instance ${hold.instance.n} is stale without a reason`,
      );
    signalIsHonest(world, hold);
  }
}

/** `context.superseded` aborts when nobody else is to get the instance, and not before. */
export function supersededIsTrue(world: World): void {
  for (const creation of world.creations) {
    const { superseded: signal, instance } = creation;
    if (signal === undefined) continue;
    const gone = creation.failed || world.closed !== undefined || (instance !== undefined && !isAlive(instance));
    const why = instance === undefined ? supersededSince(world, creation) : superseded(world, instance);
    // Without a dispose it cannot be seen when the instance went.
    const mayBe = gone || isRunning(creation) || why.may || !world.settings.factory.dispose;
    if (gone || why.must) {
      if (!signal.aborted) world.violate('superseded', `create ${creation.n} is not told that it was superseded`);
    } else if (signal.aborted && !mayBe && !surelyTimedOut(world, creation, creation.ended?.t)) {
      world.violate('superseded', `create ${creation.n} is told that it was superseded without a reason`);
    }
  }
}

function signalIsHonest(world: World, hold: Hold): void {
  if (hold.signalAborted !== undefined && world.settings.factory.dispose && hold.instance.disposeBegan === undefined) {
    world.violate(
      'G2',
      `the signal of ${hold.demand.kind} ${hold.demand.n} aborted, but instance ${hold.instance.n} is not disposed of`,
    );
  }
}

/** Whether the instance must be superseded, or may be. */
export function superseded(world: World, instance: Instance): { must: boolean; may: boolean; how: string } {
  if (instance.retired !== undefined) return { must: true, may: true, how: 'retired' };
  return supersededSince(world, instance.creation);
}

/** Judged by the hints and answers about the connection after its row had been read. */
function supersededSince(world: World, { id, version, read: own }: Creation): { must: boolean; may: boolean; how: string } {
  if (world.invalidatedSince(id, own.sent.seq)) return { must: true, may: true, how: 'invalidated' };
  let may = world.closed !== undefined;
  for (const read of readsOf(world, id)) {
    if (read.sent.seq <= own.sent.seq) break;
    if (!isGood(read)) continue;
    const seen = sighting(read, id);
    const differs = seen?.version !== version;
    if (differs) may = true;
    const decides = differs && isTelling(world, read, seen);
    if (decides && (!world.settings.keepLastGood || seen === undefined || seen.status === 'stopped'))
      return { must: true, may: true, how: 'read otherwise' };
  }
  return { must: false, may, how: '' };
}

/** Idle instances that are superseded go at once. */
export function noSupersededIdle(world: World): void {
  if (!world.settings.factory.dispose) return;
  for (const instance of world.instances) {
    if (!isAlive(instance) || !isIdle(world, instance)) continue;
    const why = superseded(world, instance);
    if (why.must) world.violate('G13', `instance ${instance.n} is idle and was ${why.how}, and is not disposed of`);
    const late = surelyTimedOut(world, instance.creation, instance.born.t);
    if (late) world.violate('G3', `instance ${instance.n} came after its time-out and is neither used nor disposed of`);
  }
}

/** G13: after a sweep that the store answered, nothing stopped or deleted is idle, and what is leased is stale. */
export function noZombies(world: World, current: (id: string) => { status: string } | undefined): void {
  if (!world.settings.factory.dispose) return;
  for (const instance of world.instances) {
    if (!isAlive(instance)) continue;
    const row = current(instance.id);
    if (row !== undefined && row.status === 'active') continue;
    const what = row === undefined ? 'deleted' : 'stopped';
    const holds = heldBy(instance);
    if (isIdle(world, instance))
      world.violate('G13', `instance ${instance.n} of ${instance.id}, which is ${what}, outlived a sweep`);
    if (holds.some((hold) => hold.lease?.stale === false))
      world.violate('G13', `a lease on instance ${instance.n} of ${instance.id}, which is ${what}, is not stale after a sweep`);
  }
}
