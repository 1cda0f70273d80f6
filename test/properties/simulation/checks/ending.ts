import { knownLeases } from '../queries.js';
import type { World } from '../world.js';

/** G12: what must hold when `close` has resolved. */
export function closedInTime(world: World, report: { abandoned: readonly { id: string; leases: number }[] }): void {
  const { closed, settings } = world;
  if (closed === undefined) return;
  const over = world.clock.monotonic() - closed.deadline - settings.disposeTimeoutMs - world.lag;
  if (over > 0) world.violate('G12', `close resolved ${over} ms after its deadline and a dispose time-out`);
  for (const instance of world.instances) {
    if (settings.factory.dispose && instance.disposeBegan === undefined && world.isPast(instance.born))
      world.violate('G12', `close resolved while instance ${instance.n} was live`);
  }
  for (const { id, leases } of report.abandoned) {
    const held = world.instances
      .filter((instance) => instance.id === id)
      .reduce((sum, instance) => sum + knownLeases(world, instance), 0);
    if (leases > held + unseenLeases(world, id, closed.called.seq))
      world.violate('G12', `close reports ${leases} abandoned leases of ${id}, of which ${held} exist`);
  }
}

/** A webhook asks for its handler's secrets under a lease that nobody sees before the handler does. */
function unseenLeases({ demands, settings }: World, id: string, closedAt: number): number {
  if (!settings.factory.secrets) return 0;
  return demands.filter(
    (demand) =>
      demand.kind === 'webhook'
      && demand.id === id
      && demand.began.seq < closedAt
      && (demand.settled?.seq ?? Infinity) > closedAt,
  ).length;
}

/** G12: nobody waits for a registry that is closed. */
export function nobodyWaits(world: World): void {
  if (world.closed?.resolved === undefined) return;
  for (const demand of world.demands) {
    if (demand.state === 'waiting' && demand.kind !== 'webhook')
      world.violate('G12', `close resolved while ${demand.kind} ${demand.n} was waiting`);
  }
}

/** G3, G12: when everything has settled. */
export function nothingIsLeft(world: World): void {
  const { settings } = world;
  for (const instance of world.instances) {
    if (settings.factory.dispose && instance.disposals !== 1)
      world.violate('G3', `instance ${instance.n} was disposed of ${instance.disposals} times in the end`);
  }
  for (const creation of world.creations) {
    const { registered, ran } = creation.cleanUps;
    if (creation.ended !== undefined && ran !== registered)
      world.violate('G3', `${ran} of ${registered} clean-ups of create ${creation.n} have run`);
  }
  for (const demand of world.demands) {
    if (demand.state !== 'settled') world.violate('G12', `${demand.kind} ${demand.n} has not settled in the end`);
  }
  if (world.clock.pendingTimers > 0)
    world.violate('G12', `${world.clock.pendingTimers} timers are left, the next at ${world.clock.nextDue}`);
  if (world.closed?.resolved === undefined) world.violate('G12', 'close never resolved');
}
