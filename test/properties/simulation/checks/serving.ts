import type { Demand, Hold, Instance } from '../observed.js';
import { isFreshFor, isGood, isTelling, noPermitLeft, readsOf, sighting, withPermit } from '../queries.js';
import type { World } from '../world.js';
import type { Failure } from '../model.js';

/** G2: a leased instance is not being disposed of. */
export function notDisposed(world: World, { instance, demand }: Hold): void {
  if (instance.disposeBegan !== undefined) {
    world.violate(
      'G2',
      `${demand.kind} ${demand.n} got instance ${instance.n}, whose dispose began at ${instance.disposeBegan.seq}`,
    );
  }
}

/** The lease has the instance and the record that belong together. */
export function stamped(world: World, { instance, lease, demand }: Hold): void {
  if (instance.id !== demand.id)
    world.violate('G8', `${demand.kind} ${demand.n} of ${demand.id} got an instance of ${instance.id}`);
  if (lease !== undefined && (String(lease.record.version) !== instance.version || lease.record.id !== instance.id)) {
    world.violate('G5', `the lease on instance ${instance.n} of v${instance.version} says v${String(lease.record.version)}`);
  }
}

/** G4, G5: rests on a read that is fresh enough, or on one of the exceptions that were asked for. */
export function isFresh(world: World, hold: Hold, failures: readonly Failure[]): void {
  const { demand, instance } = hold;
  if (confirmed(world, demand, instance)) return;
  if (storeFailedOver(world, demand, instance)) return;
  if (lastGoodServes(world, demand, instance, failures)) return;
  world.violate(
    'G4',
    `${demand.kind} ${demand.n} (${demand.freshness === 'strict' ? 'strict' : `at most ${demand.freshness} ms stale`}) `
      + `ran on instance ${instance.n} of ${instance.id} v${instance.version} without a fresh read that says so`,
  );
}

function confirmed(world: World, demand: Demand, instance: Instance): boolean {
  for (const read of readsOf(world, demand.id)) {
    if (!isFreshFor(demand, read)) return false;
    if (!isGood(read)) continue;
    const seen = sighting(read, demand.id);
    if (seen?.version === instance.version && seen.status === 'active' && !seen.broken) return true;
    // The row is known: a later use does not get the instance that it replaced.
    if (!world.settings.keepLastGood && isTelling(world, read, seen) && read.answered!.seq < demand.quietBefore) return false;
  }
  return false;
}

/** `staleIfErrorMs`: the store failed this use, and the version was confirmed not long ago. */
export function storeFailedOver(world: World, demand: Demand, { version }: { readonly version: string }): boolean {
  const { staleIfErrorMs, storeTimeoutMs, keepLastGood } = world.settings;
  const now = world.clock.monotonic();
  if (staleIfErrorMs === 0) return false;
  let failedAt: number | undefined;
  for (const read of readsOf(world, demand.id)) {
    if (read.sent.seq > demand.began.seq) {
      if (read.late || (read.answered === undefined && now >= read.sent.t + storeTimeoutMs))
        failedAt = read.sent.t + storeTimeoutMs;
      else if (read.failed) failedAt = read.answered!.t;
    }
    if (!isGood(read)) continue;
    const seen = sighting(read, demand.id);
    if (seen?.version === version && !seen.broken) return failedAt !== undefined && read.sent.t >= failedAt - staleIfErrorMs;
    if (seen !== undefined && keepLastGood && seen.status === 'active') continue;
    // A webhook has its lease while it waits for the handler's secrets: what is read meanwhile comes too late for it.
    if (failedAt === undefined && demand.kind === 'webhook' && world.settings.factory.secrets) continue;
    if (isTelling(world, read, seen) && world.isPast(read.answered)) return false;
  }
  return false;
}

/** `keepLastGood`: the row's newer version could not be hydrated, so the one before serves on. */
function lastGoodServes(world: World, demand: Demand, instance: Instance, failures: readonly Failure[]): boolean {
  if (!world.settings.keepLastGood) return false;
  for (const read of readsOf(world, demand.id)) {
    if (!isFreshFor(demand, read)) return false;
    if (!isGood(read)) continue;
    const seen = sighting(read, demand.id);
    // Versions alone decide nothing: the row does.
    if ((seen === undefined || seen.status === 'stopped') && read.kind === 'getVersions') continue;
    if (seen === undefined || seen.status === 'stopped') {
      if (world.isPast(read.answered)) return false;
      // Answered after the one that it was served by, in the same step.
      continue;
    }
    if (isOlder(world, seen.version, instance.version)) continue;
    if (seen.broken && isTelling(world, read, seen)) return true;
    if (seen.broken) continue;
    if (failures.some((failure) => failure.id === demand.id && failure.version === seen.version)) return true;
    if (noPermitLeft(world, demand.id, withPermit(world))) return true;
  }
  return false;
}

/** A hash does not tell which of two versions is the newer one. */
const isOlder = (world: World, version: string, than: string): boolean =>
  world.settings.versionOf === 'contents' ? version === than : Number(version) <= Number(than);

/** `invalidate` and `retire`: a use that begins afterwards gets another instance, made from a row read afterwards. */
export function notSuperseded(world: World, { demand, instance }: Hold): void {
  for (const at of world.invalidations.get(demand.id) ?? []) {
    if (at.seq < demand.began.seq && instance.creation.read.sent.seq < at.seq) {
      world.violate(
        'invalidate',
        `${demand.kind} ${demand.n} began after the invalidate and got instance ${instance.n}, whose row was read before it`,
      );
    }
  }
  const { retired } = instance;
  if (retired === undefined) return;
  // A webhook that is authenticated again has its lease meanwhile.
  const entitledBefore = demand.authenticatedAgain === true;
  if (retired.seq < demand.began.seq || (world.isPast(retired) && !entitledBefore)) {
    world.violate('retire', `${demand.kind} ${demand.n} got instance ${instance.n}, which had been reported dead`);
  }
}
