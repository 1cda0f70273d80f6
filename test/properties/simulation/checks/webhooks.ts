import type { Failure } from '../model.js';
import type { Creation } from '../observed.js';
import { isFreshFor, isGood, readsOf, sighting } from '../queries.js';
import type { Delivery } from '../webhooks.js';
import type { World } from '../world.js';

/** G11: the status says what happened. */
export function webhookAnswered(world: World, delivery: Delivery, response: Response, failures: readonly Failure[]): void {
  const { demand, verdicts, handled } = delivery;
  const verdict = verdicts.at(-1);
  const { status } = response;
  const complain = (why: string): void => world.violate('G11', `webhook ${demand.n} of ${demand.id} was answered ${status}: ${why}`);
  const refused = verdict === 'no' || verdict === 'noLater' || verdict === 'throw';
  if (verdicts.length > 1) complain('it was authenticated twice');
  if (refused && status !== 401 && status !== 503) complain('it was not authentic');
  if (refused && handled !== undefined) complain('it was handled although it was not authentic');
  if (verdict === undefined && handled !== undefined && world.settings.factory.webhooks === 'authenticated') complain('it was handled without being authenticated');
  if (delivery.bodyKiB > 2 && handled !== undefined) complain('its body was too large to be handled');
  if (status >= 400 && handled === undefined) {
    const type = response.headers.get('content-type') ?? '';
    if (!type.startsWith('application/problem+json')) complain(`its type is '${type}'`);
  }
  switch (status) {
    case 200: case 204: if (handled?.ended !== true || handled.failed) complain('no handler said so'); break;
    case 202: acknowledged(world, delivery, complain); break;
    case 222: if (verdict !== 'response') complain('authenticate did not say so'); break;
    case 401: if (!refused) complain('it was not refused'); break;
    case 404: if (!notServed(world, delivery)) complain('its connection is there'); break;
    case 413: if (delivery.bodyKiB <= 2) complain('its body is small enough'); break;
    case 500: if (handled?.failed !== true && !broken(world, delivery)) complain('nothing broke'); break;
    case 503: unavailable(world, delivery, response, failures, complain); break;
    default: complain('there is no such answer');
  }
}

function acknowledged(world: World, { demand, verdicts }: Delivery, complain: (why: string) => void): void {
  const { factory } = world.settings;
  if (factory.acknowledgeAfterMs === undefined) complain('nothing acknowledges');
  else if (world.clock.monotonic() < demand.began.t + factory.acknowledgeAfterMs) complain(`after ${world.clock.monotonic() - demand.began.t} ms`);
  else if (factory.webhooks === 'authenticated' && verdicts.length === 0) complain('it was not authenticated');
}

function notServed(world: World, { demand }: Delivery): boolean {
  for (const read of readsOf(world, demand.id)) {
    const seen = sighting(read, demand.id);
    if (isGood(read) && (seen === undefined || seen.status === 'stopped')
      && (isFreshFor(demand, read) || (seen === undefined && read.sent.t >= demand.began.t - world.settings.notFoundTtlMs))) return true;
  }
  return false;
}

function broken(world: World, { demand }: Delivery): boolean {
  for (const read of readsOf(world, demand.id)) {
    if (!isFreshFor(demand, read)) return false;
    if (isGood(read) && sighting(read, demand.id)?.broken === true) return true;
  }
  return false;
}

function unavailable(world: World, { demand, handled }: Delivery, response: Response, failures: readonly Failure[], complain: (why: string) => void): void {
  const after = response.headers.get('retry-after');
  if (after === null || !/^[1-9][0-9]*$/.test(after)) complain(`its Retry-After is ${after}`);
  if (handled !== undefined) complain('it was handled');
  if (world.closed !== undefined) return;
  const now = world.clock.monotonic();
  const storeFailed = world.reads.some((read) => read.ids.includes(demand.id) && (read.failed || read.late || (read.answered === undefined && now >= read.sent.t + world.settings.storeTimeoutMs)));
  const secretsFailed = world.secretsCalls.some((call) => call.id === demand.id && (call.failed || call.aborted !== undefined || now >= call.began.t + world.settings.hydrationTimeoutMs));
  const hydrateFailed = failures.some((failure) => failure.id === demand.id);
  const waited = now >= demand.began.t + demand.timeoutMs;
  const full = world.creations.some((creation) => creation.ended === undefined || creation.ended.seq > demand.began.seq);
  if (!storeFailed && !secretsFailed && !hydrateFailed && !waited && !full) complain('nothing was unavailable');
}

/** G10: a create is owed to somebody who may have it: forged requests cause none. */
export function createIsOwed(world: World, creation: Creation): void {
  let owed = 0;
  for (const demand of world.demands) {
    if (demand.id !== creation.id) continue;
    if (demand.kind !== 'webhook' || demand.authentic === true || world.settings.factory.webhooks === 'in-handler') owed++;
  }
  const made = world.creations.filter((other) => other.id === creation.id).length;
  if (made > owed) world.violate('G10', `create ${creation.n} of ${creation.id} is the ${made}th, and only ${owed} had a right to one`);
}
