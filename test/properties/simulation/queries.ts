import type { Creation, Demand, Hold, Instance, Moment, Read, SecretsCall, Sighting } from './observed.js';
import type { World } from './world.js';

/** Questions that several checks ask of what was observed. */

/** The earliest moment at which this create's time can have begun to run: it covers the wait for secrets. */
export function hydrationBegan({ secrets, began, quietBefore }: Creation): number {
  const waited = secrets?.ended !== undefined && secrets.ended.seq > quietBefore;
  return waited ? secrets.began.t : began.t;
}

/** Its time may be over. */
export function timedOut(world: World, creation: Creation): boolean {
  return world.clock.monotonic() >= hydrationBegan(creation) + world.settings.hydrationTimeoutMs;
}

/** Its time is over, even if it had none to wait before `create` was called. */
export const surelyTimedOut = (world: World, creation: Creation, now = world.clock.monotonic()): boolean =>
  now >= creation.began.t + world.settings.hydrationTimeoutMs;

export const isRunning = (creation: Creation): boolean => creation.ended === undefined;

/** Answers whose time has passed are dropped, and one that failed says nothing. */
export const isGood = (read: Read): boolean => read.answered !== undefined && !read.failed && !read.late;

export const sighting = (read: Read, id: string): Sighting | undefined => read.seen?.get(id);

/** Whether this answer is a row that says what became of the connection, and not a version or a row that says nothing. */
export const isTelling = ({ settings }: World, read: Read, seen: Sighting | undefined): boolean =>
  read.kind !== 'getVersions' && (settings.brokenRows !== 'unreadable' || !(seen?.broken ?? false));

/**
 * Whether another version, or no row, was read of this connection after that moment. Where versions are hashes, this one
 * may have come back since, and everything about it began anew.
 */
export const cameBack = (world: World, id: string, version: string, seq: number): boolean =>
  world.settings.versionOf === 'contents'
  && world.reads.some(
    (read) => (read.answered?.seq ?? 0) > seq && read.ids.includes(id) && isGood(read) && sighting(read, id)?.version !== version,
  );

/** Reads of this id, newest first. */
export function* readsOf(world: World, id: string): Iterable<Read> {
  for (let index = world.reads.length - 1; index >= 0; index--) {
    const read = world.reads[index]!;
    if (read.ids.includes(id)) yield read;
  }
}

/** Whether the demand may rest on a read that was sent then. */
export function isFreshFor(demand: Demand, read: Read): boolean {
  return demand.freshness === 'strict'
    ? read.sent.seq > demand.began.seq
    : read.sent.seq > demand.began.seq || read.sent.t >= demand.began.t - demand.freshness;
}

export const onTheWire = (world: World, read: Read): boolean =>
  read.answered === undefined && world.clock.monotonic() < read.sent.t + world.settings.storeTimeoutMs;

export const secretsRunning = (world: World, call: SecretsCall): boolean =>
  call.ended === undefined
  && call.aborted === undefined
  && world.clock.monotonic() < call.began.t + world.settings.hydrationTimeoutMs;

export const platformOf = ({ settings }: World, id: string): string =>
  settings.factory.platforms === 2 && Number(id.slice(1)) % 2 === 1 ? 'odd' : 'even';

/** Whether a hydrate of this connection finds no permit while these connections' hydrates have one each. */
export function noPermitLeft(world: World, id: string, hydrating: readonly string[]): boolean {
  const { maxConcurrentHydrations, factory: { maxConcurrentHydrations: share = Number.POSITIVE_INFINITY } } = world.settings;
  return hydrating.length >= maxConcurrentHydrations
    || hydrating.filter((other) => platformOf(world, other) === platformOf(world, id)).length >= share;
}

/** The connections whose hydrates have a permit, or had a moment ago. */
export const withPermit = (world: World): string[] =>
  [
    ...world.creations.filter((creation) =>
      isRunning(creation) ? !surelyTimedOut(world, creation, world.quiet.t) : !world.isPast(creation.ended),
    ),
    ...world.secretsCalls.filter((call) => !world.isPast(call.ended)),
  ].map(({ id }) => id);

/** Born and not on its way out. */
export const isAlive = (instance: Instance): boolean => instance.disposeBegan === undefined;

export const heldBy = (instance: Instance) => [...instance.holds].filter((hold) => !hold.released);

/** Whether nobody uses the instance, or may still use it, as far as the registry can know. */
export const isIdle = (world: World, instance: Instance): boolean =>
  [...instance.holds].every((hold) => hold.released && hold.lingers !== true) && !isConfirming(world, instance);

/** A webhook that is authenticated again, with a newer row, holds its instance meanwhile. */
const isConfirming = ({ settings, demands }: World, { id }: Instance): boolean =>
  demands.some(
    (demand) =>
      demand.authenticatedAgain
      && demand.id === id
      && (demand.settled === undefined || settings.factory.acknowledgeAfterMs !== undefined),
  );

/** Leases on it that the registry may know of: held, or let go a moment ago, or after it was disposed of under them. */
export function knownLeases(world: World, instance: Instance): number {
  const { factory } = world.settings;
  const gone = instance.disposeBegan?.seq ?? Number.POSITIVE_INFINITY;
  const after = (end: Moment | undefined): boolean => end === undefined || !world.isPast(end) || end.seq > gone;
  // Without a dispose it cannot be seen when the instance went.
  const held = [...instance.holds].filter(
    (hold) => !hold.released || hold.lingers === true || !factory.dispose || after(hold.releasedAt),
  );
  // A webhook that is authenticated again, with a newer row, holds its instance meanwhile.
  const confirming = world.demands.filter(({ id, authenticatedAgain, settled }) =>
    authenticatedAgain && id === instance.id && (factory.acknowledgeAfterMs !== undefined || after(settled)));
  return held.length + confirming.length;
}

/**
 * The registry hears some turns later that a promise of `use` has settled, and settles its own after that. It may read the
 * response of a webhook until the end of a turn, also after it has answered.
 */
function latestEnd(world: World, { demand: { kind, settled }, releasedAt }: Hold): Moment | undefined {
  if (releasedAt === undefined || kind === 'acquire') return releasedAt;
  return kind === 'use' ? settled ?? releasedAt : world.nextQuiet(releasedAt);
}

/** When it was last let go, or born: at the latest, or at the earliest moment that is possible. */
export function lastUsed(world: World, instance: Instance, at: 'latest' | 'earliest'): Moment {
  let last = instance.born;
  for (const hold of instance.holds) {
    const end = hold.brokeOffAt ?? (at === 'latest' ? latestEnd(world, hold) : hold.doneAt);
    if (end !== undefined && end.seq > last.seq) last = end;
  }
  return last;
}
