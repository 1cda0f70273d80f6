import type { ConnectionError } from 'hydrant';
import type { Model } from '../model.js';
import type { Demand } from '../observed.js';
import { isGood, onTheWire, readsOf, secretsRunning } from '../queries.js';
import type { World } from '../world.js';

/*
 * G9: `webhook.maxUnauthenticated` bounds the deliveries that are not authenticated yet. A delivery takes a place when it
 * comes. It gives the place back when it is authenticated or answered. Reads in the queue and calls of `secrets` that outlast
 * their senders count too.
 */

/**
 * How many places are taken, by the model's own account. The registry may be some promises ahead of what can be seen, so
 * there are two bounds. They meet when nothing is left to run, but for a few cases that the model cannot tell.
 */
export interface Places { readonly least: number; readonly most: number }

export function placesTaken(world: World, model: Model): Places {
  let [least, most] = [0, 0];
  for (const demand of world.demands) {
    if (demand.kind !== 'webhook') continue;
    if (surelyHasPlace(world, demand, model)) least++;
    if (mayHavePlace(world, demand)) most++;
  }
  for (const call of world.secretsCalls) {
    const running = secretsRunning(world, call);
    const demands = world.demands.filter(({ id }) => id === call.id);
    const isOrphaned = authenticates(world) && world.isPast(call.began)
      && demands.every(({ kind, authentic, settled }) => kind === 'webhook' && authentic !== true && world.isPast(settled));
    if (running && isOrphaned) least++;
    if ((running || !world.isPast(call.ended ?? call.aborted)) && demands.some(({ leftEarly }) => leftEarly)) most++;
  }
  return { least, most };
}

function surelyHasPlace(world: World, demand: Demand, { webhookFailures }: Model): boolean {
  const { id, began, settled, decidedAt, state } = demand;
  if (settled !== undefined) return isLeftInQueue(world, demand);
  if (state !== 'waiting' || decidedAt !== undefined) return false;
  // It may have been refused. If it still waits when nothing is left to run, it was let in.
  if (mayBeRefused(world, demand) && !world.isPast(began)) return false;
  if (webhookFailures.some((failure) => failure.id === id && !world.isPast(failure.at))) return false;
  return authenticates(world) || !mayHaveItsRow(world, demand);
}

/** Its sender left while its read waited for one that is on the wire. */
function isLeftInQueue(world: World, { id, began, freshness, leftEarly }: Demand): boolean {
  if (leftEarly !== true || freshness !== 'strict' || world.closed !== undefined) return false;
  for (const read of readsOf(world, id)) {
    if (read.sent.seq > began.seq) return false;
    if (onTheWire(world, read)) return true;
  }
  return false;
}

function mayHavePlace(world: World, demand: Demand): boolean {
  const { id, began, settled, decidedAt, leftEarly, state } = demand;
  if (mustBeRefused(world, demand)) return false;
  if (settled !== undefined) return !world.isPast(settled) || (leftEarly === true && mayAwaitRead(world));
  if (decidedAt !== undefined) return !world.isPast(decidedAt);
  if (authenticates(world)) return true;
  // Nothing else keeps it from its instance. A row that is of no use has been refused.
  const hasRow = [...readsOf(world, id)].some((read) =>
    read.sent.seq > began.seq && read.kind !== 'getVersions' && isGood(read) && world.isPast(read.answered));
  return state === 'waiting' && (world.settings.answersLater || !hasRow);
}

/** Queries are bounded, so a read may wait for that of any connection. */
const mayAwaitRead = (world: World): boolean =>
  world.reads.some((read) => onTheWire(world, read) || !world.isPast(read.answered ?? read.sent));

const authenticates = ({ settings }: World): boolean => settings.factory.webhooks === 'authenticated';

const mayHaveItsRow = (world: World, { id, began, freshness }: Demand): boolean =>
  freshness !== 'strict' || [...readsOf(world, id)].some((read) => (read.answered?.seq ?? 0) > began.seq);

const mayBeRefused = ({ settings }: World, { placesBefore }: Demand): boolean =>
  placesBefore !== undefined && placesBefore.most >= settings.maxUnauthenticated;

/** Whether every place was surely taken when it came. */
export const mustBeRefused = ({ settings }: World, { placesBefore }: Demand): boolean =>
  placesBefore !== undefined && placesBefore.least >= settings.maxUnauthenticated;

/** Whether a place was lacking. A full queue of hydrates has the same code. */
export const lacksPlace = ({ code, message }: ConnectionError): boolean =>
  code === 'OVERLOADED' && message.startsWith('webhook.maxUnauthenticated');

/** A delivery is refused for lack of a place only if all of them were taken. */
export function placesWereTaken(world: World, demand: Demand): [string, string] | undefined {
  if (mayBeRefused(world, demand)) return undefined;
  return ['G9', `${demand.placesBefore?.most} of ${world.settings.maxUnauthenticated} places were taken`];
}

/** No delivery is let in while all places are taken. */
export function noneTooMany(world: World): void {
  for (const demand of world.demands) {
    if (mustBeRefused(world, demand) && demand.state !== 'settled')
      world.violate('G9', `webhook ${demand.n} was let in although ${demand.placesBefore?.least} places were taken`);
  }
}

/** When all else is over, deliveries that come together get every place, and the one after them gets none. */
export function placesAreFree(world: World, refused: readonly number[]): void {
  const { maxUnauthenticated } = world.settings;
  if (refused.length !== 1 || refused[0] !== maxUnauthenticated)
    world.violate('G9', `of ${maxUnauthenticated + 1} deliveries in the end, these were refused: ${refused.join(' ')}`);
}
