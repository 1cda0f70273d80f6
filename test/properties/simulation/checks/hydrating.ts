import type { Creation, Read, SecretsCall } from '../observed.js';
import {
  cameBack,
  heldBy,
  hydrationBegan,
  isAlive,
  isGood,
  isRunning,
  noPermitLeft,
  onTheWire,
  readsOf,
  secretsRunning,
  sighting,
  timedOut,
} from '../queries.js';
import type { World } from '../world.js';
import type { Failure } from '../model.js';

/** G1: one create at a time per version, and none while a sound instance of that version is at hand. */
export function singleFlight(world: World, creation: Creation): void {
  const { id, version } = creation;
  for (const other of world.creations) {
    if (other === creation || other.id !== id || other.version !== version) continue;
    // A slot that was invalidated or superseded after its row was read serves only its own waiters.
    const firstRead = Math.min(other.read.sent.seq, creation.read.sent.seq);
    if (world.invalidatedSince(id, firstRead) || cameBack(world, id, version, firstRead)) continue;
    if (isRunning(other)) {
      if (!timedOut(world, other))
        world.violate('G1', `create ${creation.n} of ${id} v${version} began while create ${other.n} was running`);
      continue;
    }
    const { instance } = other;
    if (instance === undefined || instance.retired !== undefined || !world.settings.factory.dispose || !isAlive(instance))
      continue;
    // It came after its time-out: it is disposed of as soon as the registry hears of it.
    if (other.ended!.t >= hydrationBegan(other) + world.settings.hydrationTimeoutMs) continue;
    world.violate('G1', `create ${creation.n} of ${id} v${version} began although instance ${instance.n} was live and sound`);
  }
}

/** 'drain-first': nothing of this connection is left when its successor is created, and its row was read afterwards. */
export function drainFirst(world: World, creation: Creation): void {
  const { replacement, disposeTimeoutMs, hydrationTimeoutMs, factory } = world.settings;
  if (replacement !== 'drain-first' || !factory.dispose) return;
  const now = world.clock.monotonic();
  for (const other of world.creations) {
    if (other === creation || other.id !== creation.id) continue;
    if (isRunning(other)) {
      if (!timedOut(world, other))
        world.violate('drain-first', `create ${creation.n} began while create ${other.n} of the same connection was running`);
      continue;
    }
    const { instance } = other;
    if (instance === undefined) continue;
    const late = other.ended!.t >= hydrationBegan(other) + hydrationTimeoutMs;
    const hangs =
      instance.disposeBegan !== undefined && (instance.disposeEnded?.t ?? now) >= instance.disposeBegan.t + disposeTimeoutMs;
    if (late || hangs) continue;
    if (instance.disposeEnded !== undefined) {
      if (creation.read.sent.seq > instance.disposeEnded.seq) continue;
      world.violate(
        'drain-first',
        `create ${creation.n} was built from read ${creation.read.n},
          which was sent before instance ${instance.n} had been disposed of`,
      );
    } else {
      world.violate(
        'drain-first',
        `create ${creation.n} began before instance ${instance.n} of the same connection was disposed of
          (${heldBy(instance).length} leases)`,
      );
    }
  }
}

/** G9: permits. A permit is free again at the hydration timeout, even if `create` still runs. */
export function withinPermits(world: World, creation: Creation): void {
  const others = world.creations
    .filter((other) => other !== creation && isRunning(other) && !timedOut(world, other))
    .map(({ id }) => id);
  if (noPermitLeft(world, creation.id, others))
    world.violate('G9', `create ${creation.n} began while those of ${others.join(' ')} had every permit`);
}

/** G5: built from an active row, as it was read, with that version's secrets. */
export function builtFromItsRow(world: World, creation: Creation): void {
  const { id, version, read, secrets } = creation;
  const seen = sighting(read, id);
  if (read.kind === 'getVersions' || seen === undefined || seen.broken || seen.status !== 'active' || seen.version !== version) {
    world.violate('G5', `create ${creation.n} of ${id} v${version} does not fit the row of read ${read.n}`);
  }
  if (read.late) world.violate('G4', `create ${creation.n} was built from the late answer of read ${read.n}`);
  if (!world.settings.factory.secrets) return;
  if (secrets === undefined || secrets.version !== version || secrets.id !== id) {
    world.violate('G5', `create ${creation.n} of ${id} v${version} got the secrets of ${secrets?.id} v${secrets?.version}`);
  } else {
    for (const at of world.invalidations.get(id) ?? []) {
      if (secrets.began.seq < at.seq && read.sent.seq > at.seq)
        world.violate('invalidate', `create ${creation.n} got secrets from before the invalidate`);
    }
  }
}

/** G6: no create of a version in its back-off, unless `invalidate` dropped it. */
export function backsOff(world: World, creation: Creation, failures: readonly Failure[]): void {
  for (const failure of failures) {
    if (!failure.exact || failure.strangers || failure.id !== creation.id || failure.version !== creation.version) continue;
    // An invalidated slot still hydrates for its own waiters.
    if (
      world.clock.monotonic() >= failure.at.t + failure.retryAfterMs
      || world.invalidatedSince(creation.id, Math.min(creation.read.sent.seq, failure.at.seq))
    )
      continue;
    const failed = world.creations.findLast(
      (other) => other.id === failure.id && other.version === failure.version && other.began.seq < failure.at.seq,
    );
    if (cameBack(world, creation.id, creation.version, failed?.read.sent.seq ?? 0)) continue;
    world.violate(
      'G6',
      `create ${creation.n} began ${failure.at.t + failure.retryAfterMs - world.clock.monotonic()} ms before the back-off of
        v${failure.version} had passed`,
    );
  }
}

/** G7: a create's signal aborts for its time-out, for `close`, or because the last waiter left by its own signal. */
export function abortIsDue(world: World, creation: Creation): void {
  const now = world.clock.monotonic();
  if (now >= hydrationBegan(creation) + world.settings.hydrationTimeoutMs) return;
  if (world.closed !== undefined && now >= world.closed.deadline) return;
  creation.abortedByWaiters = true;
  const left = world.demands.some(
    (demand) => demand.id === creation.id && demand.aborted !== undefined && !world.isPast(demand.aborted),
  );
  if (!left) world.violate('G7', `the signal of create ${creation.n} aborted although nobody left by a signal of their own`);
  for (const demand of world.demands) {
    if (demand.id !== creation.id || demand.kind === 'webhook' || demand.state !== 'waiting' || demand.aborted !== undefined)
      continue;
    if (!world.isPast(creation.began) || world.invalidatedSince(demand.id, demand.began.seq)) continue;
    // It joined what the first answer of its own said, and is never moved on. Who is content with less may have joined before.
    if (demand.freshness !== 'strict') continue;
    const mine = [...readsOf(world, demand.id)].findLast((read) => read.sent.seq > demand.began.seq && isGood(read));
    if (
      mine !== undefined
      && world.isPast(mine.answered)
      && sighting(mine, demand.id)?.version === creation.version
      && !world.invalidatedSince(demand.id, creation.read.sent.seq)
      && !cameBack(world, demand.id, creation.version, creation.read.sent.seq)
    ) {
      world.violate('G7', `the signal of create ${creation.n} aborted while ${demand.kind} ${demand.n} was waiting for it`);
    }
  }
}

/** One call of `secrets` per version, kept until `invalidate` or another version. */
export function secretsAreKept(world: World, call: SecretsCall): void {
  let strangers = 0;
  for (let index = call.n - 1; index >= 0; index--) {
    const other = world.secretsCalls[index]!;
    if (other.id !== call.id) continue;
    if (other.version !== call.version || world.invalidatedSince(call.id, other.began.seq)) return;
    if (cameBack(world, call.id, call.version, other.began.seq)) return;
    // A webhook that has just read another version stands in line for its secrets, and one version's are kept at a time.
    if (world.settings.factory.webhooks !== 'none' && anotherVersionIsRead(world, call)) return;
    if (secretsRunning(world, other)) {
      // A hydrate does not wait for the call of a sender who is not authenticated yet.
      strangers += mayBeStrangers(world, other) ? 1 : 2;
      if (strangers > 1) world.violate('G10', `secrets ${call.n} was called while ${other.n} was running`);
    }
    if (
      other.ended !== undefined
      && !wasReplaced(world, other)
      && !other.failed
      && other.aborted === undefined
      && world.isPast(other.ended)
      && other.ended.t < other.began.t + world.settings.hydrationTimeoutMs
    )
      world.violate('G10', `secrets ${call.n} was called although ${other.n} had resolved`);
  }
}

/** A webhook had been sent by then and was not answered yet. */
const mayBeStrangers = (world: World, { id, began }: SecretsCall): boolean =>
  world.demands.some(
    (demand) =>
      demand.kind === 'webhook'
      && demand.id === id
      && demand.began.seq < began.seq
      && (demand.settled?.seq ?? Number.POSITIVE_INFINITY) > began.seq,
  );

/**
 * A hydrate called for the same secrets while this call was running, or before the registry had heard that it resolved.
 * The hydrate's call is the one that is kept.
 */
const wasReplaced = (world: World, { id, version, began, ended }: SecretsCall): boolean =>
  world.secretsCalls.some(
    (other) =>
      other.id === id && other.version === version && other.began.seq > began.seq && other.quietBefore < ended!.seq,
  );

const anotherVersionIsRead = (world: World, { id, version }: SecretsCall): boolean =>
  [...readsOf(world, id)].some((read) => isGood(read) && !world.isPast(read.answered) && sighting(read, id)?.version !== version);

/** G9: one read of an id on the wire at a time. */
export function oneReadPerId(world: World, read: Read): void {
  for (const other of world.reads) {
    if (other === read || !onTheWire(world, other) || (other.signal?.aborted ?? false)) continue;
    const shared = read.ids.find((id) => other.ids.includes(id));
    if (shared !== undefined) world.violate('G9', `read ${read.n} of ${shared} was sent while read ${other.n} was on the wire`);
    if (read.kind === 'getVersions' && other.kind === 'getVersions')
      world.violate('G9', `version batches ${other.n} and ${read.n} were on the wire together`);
  }
  if (new Set(read.ids).size !== read.ids.length) world.violate('G9', `read ${read.n} asks for an id twice`);
}

/** Queries of rows at a time, in each group of reads. */
const MAX_ROW_QUERIES = 32;

/**
 * G9: a read that was given up counts against the cap until it is settled, or until a read that was sent after the last
 * one was given up is answered in time. Groups of reads cannot be told apart from outside, so where there are several, the
 * bound is that of the least favourable distribution.
 */
export function abandonedReadsCount(world: World, read: Read): void {
  if (read.kind === 'getVersions') return;
  const { store, factory, storeTimeoutMs } = world.settings;
  const groups = 1 + (store.getVersions ? 0 : 1) + (factory.webhooks === 'none' ? 0 : 1);
  const rows = world.reads.filter((other) => other !== read && other.kind !== 'getVersions');
  const givenUp = rows.filter((other) => !onTheWire(world, other) && (other.answered === undefined || other.late));
  const [wire, open] = [rows.filter((other) => onTheWire(world, other)), givenUp.filter((other) => other.answered === undefined)];
  const back = Math.max(-1, ...rows.filter(isInTime).map((other) => other.sent.t));
  // One that was answered in time was sent after these were given up.
  const counted = open.filter((other) => other.sent.t + storeTimeoutMs > back);
  const most = MAX_ROW_QUERIES * (groups - 1) + Math.max(1, MAX_ROW_QUERIES - counted.length);
  if (wire.length >= most)
    world.violate('G9', `read ${read.n} was sent with ${wire.length} reads on the wire and ${counted.length} that were given up`);
}

const isInTime = (read: Read): boolean => read.answered !== undefined && !read.late;
