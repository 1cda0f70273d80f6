import type { ConnectionErrorCode } from 'hydrant';
import type { Model } from '../model.js';
import type { Creation, Demand, Read } from '../observed.js';
import { isGood, readsOf, sighting } from '../queries.js';
import type { Delivery } from '../webhooks.js';
import type { World } from '../world.js';
import { lacksPlace, mustBeRefused } from './places.js';
import { reason } from './refusing.js';

/** G11: the status says what happened. */
export function webhookAnswered(world: World, delivery: Delivery, response: Response, model: Model): void {
  const { demand, verdicts, rows, handled, disconnected } = delivery;
  const verdict = verdicts.at(-1);
  const { status } = response;
  const complain = (why: string): void =>
    world.violate('G11', `webhook ${demand.n} of ${demand.id} was answered ${status}: ${why}`);
  const refused = verdict === 'no' || verdict === 'noLater' || verdict === 'throw';
  if (verdicts.length > 2) complain(`it was authenticated ${verdicts.length} times`);
  if (rows.length === 2 && rows[0] === rows[1]) complain(`it was authenticated twice with ${rows[0]}`);
  // Acknowledged while it was authenticated again, after the row had let it pass once.
  const passedOnce = status === 202 && (verdicts[0] === 'yes' || verdicts[0] === 'yesLater');
  if (refused && status !== 401 && status !== 503 && !passedOnce) complain('it was not authentic');
  if (refused && handled !== undefined) complain('it was handled although it was not authentic');
  if (verdict === undefined && handled !== undefined && world.settings.factory.webhooks === 'authenticated')
    complain('it was handled without being authenticated');
  if (delivery.bodyKiB > 2 && handled !== undefined) complain('its body was too large to be handled');
  if (mustBeRefused(world, demand) && (status !== 503 || verdict !== undefined || handled !== undefined))
    complain(`it was let in although ${demand.placesBefore?.least} places were taken`);
  if (status >= 400 && handled === undefined) {
    const type = response.headers.get('content-type') ?? '';
    if (!type.startsWith('application/problem+json')) complain(`its type is '${type}'`);
  }
  switch (status) {
    case 200:
    case 204:
      if (handled?.ended !== true || handled.failed) complain('no handler said so');
      break;
    case 202:
      acknowledged(world, delivery, complain);
      break;
    case 222:
      if (verdict !== 'response') complain('authenticate did not say so');
      break;
    case 401:
      if (!refused && !disconnected) complain('it was not refused');
      break;
    case 413:
      if (delivery.bodyKiB <= 2) complain('its body is small enough');
      break;
    case 404:
    case 500:
      break;
    case 503:
      if (!/^[1-9][0-9]*$/.test(response.headers.get('retry-after') ?? ''))
        complain(`its Retry-After is ${response.headers.get('retry-after')}`);
      break;
    default:
      complain('there is no such answer');
  }
  if (status >= 400) failureIsDue(world, delivery, status, model, complain);
}

function acknowledged(world: World, { demand, verdicts }: Delivery, complain: (why: string) => void): void {
  const { factory } = world.settings;
  if (factory.acknowledgeAfterMs === undefined) complain('nothing acknowledges');
  else if (world.clock.monotonic() < demand.began.t + factory.acknowledgeAfterMs)
    complain(`after ${world.clock.monotonic() - demand.began.t} ms`);
  else if (factory.webhooks === 'authenticated' && verdicts.length === 0) complain('it was not authenticated');
}

/** The reported failure is due, as it would be for a use. */
function failureIsDue(world: World, { demand }: Delivery, status: number, model: Model, complain: (why: string) => void): void {
  const own = model.webhookFailures.filter(({ of }) => of === demand);
  const fits = (own.length > 0 ? own : model.webhookFailures.filter(({ of }) => of === undefined)).filter(({ id, error }) =>
    id === demand.id && statusOf(error.code) === status && (!mustBeRefused(world, demand) || lacksPlace(error)));
  // A lack of a place is told at once, before the failures of others of this connection can have been answered.
  fits.sort((one, other) => Number(lacksPlace(other.error)) - Number(lacksPlace(one.error)));
  if (fits.length === 0) {
    complain('no event tells why');
    return;
  }
  const whys = fits.map(({ error }) => reason(world, demand, error, model.failures)?.[1]);
  const due = fits.find((_one, index) => whys[index] === undefined);
  if (due === undefined) complain(`${fits.map(({ error }, index) => `${error.code}: ${whys[index]}`).join('; ')}`);
  else model.webhookFailures.splice(model.webhookFailures.indexOf(due), 1);
}

/** The table of the contract. */
function statusOf(code: ConnectionErrorCode): number {
  switch (code) {
    case 'CONNECTION_NOT_FOUND': case 'CONNECTION_STOPPED': case 'INVALID_CONNECTION_ID': case 'NO_WEBHOOK_HANDLER': return 404;
    case 'UNAUTHENTICATED': return 401;
    case 'BODY_TOO_LARGE': return 413;
    case 'INVALID_RECORD': case 'BODY_ALREADY_PARSED': case 'HANDLER_FAILED': case 'INVALID_OPTIONS': return 500;
    default: return 503;
  }
}

/** G10: a create is owed to somebody who may have it: forged requests cause none. */
export function createIsOwed(world: World, creation: Creation): void {
  let owed = 0;
  for (const demand of world.demands) {
    if (demand.id !== creation.id || mustBeRefused(world, demand)) continue;
    if (demand.kind !== 'webhook' || demand.authentic === true || world.settings.factory.webhooks === 'in-handler') owed++;
  }
  const made = world.creations.filter((other) => other.id === creation.id).length;
  if (made > owed)
    world.violate('G10', `create ${creation.n} of ${creation.id} is the ${made}th, and only ${owed} had a right to one`);
}

/** G10: a webhook of an id that the store did not know a moment ago is answered without a read. */
export function unknownIsRemembered(world: World): void {
  for (const demand of world.demands) {
    if (demand.kind !== 'webhook' || demand.state !== 'waiting' || world.settings.answersLater) continue;
    const read = unknownTo(world, demand);
    if (read !== undefined)
      world.violate('G10', `webhook ${demand.n} of ${demand.id} waits although read ${read.n} had found nothing`);
  }
}

/** The newest read before it, if that found nothing, and nothing has happened since that may have made the registry forget it. */
function unknownTo(world: World, { id, began, quietBefore }: Demand): Read | undefined {
  const reads = [...readsOf(world, id)];
  if (reads.some((read) => read.sent.seq > began.seq && sighting(read, id) !== undefined)) return undefined;
  const read = reads.find(({ sent }) => sent.seq < began.seq);
  if (read === undefined || read.kind === 'getVersions' || !isGood(read) || sighting(read, id) !== undefined) return undefined;
  const remembered = world.clock.monotonic() < read.sent.t + world.settings.notFoundTtlMs;
  const doubted =
    world.invalidatedSince(id, read.sent.seq)
    || world.hints.some((hint) => hint.at.seq > read.sent.seq && (hint.id === undefined || hint.id === id));
  return remembered && !doubted && read.answered!.seq < quietBefore ? read : undefined;
}
