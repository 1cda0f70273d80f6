import type { ConnectionRecord } from '../contracts/record.js';
import { FURTHER_PER_TICK, reachOf } from './candidates.js';
import type { Member } from './claims/contract.js';
import type { RunnerEnvironment } from './environment.js';
import type { Holding } from './holding.js';
import type { Holdings } from './holdings.js';
import { MAX_AT_ONCE, type Circle, type Homes } from './homes.js';
import { shareOf } from './roster.js';

/** An offer is open for this many ticks. Without a hint the taker looks once per tick. */
export const OFFER_TICKS = 3;
/** The most that one replica takes in a tick. A connection handed to it beyond that would wait without an owner. */
const TAKEN_PER_TICK = FURTHER_PER_TICK * MAX_AT_ONCE;

/**
 * Hands over the connections beyond this replica's share, each one directly to a replica that lacks one. Shedding them
 * without a direction would let replicas that lack nothing race for them.
 */
export function handOverSurplus<R extends ConnectionRecord, I>(
  { replica, roster, options }: RunnerEnvironment<R, I>,
  holdings: Holdings<R, I>,
  homes: Homes<R, I>,
): void {
  const plan = planHandOver(replica, roster.members(holdings.load), homes.ids.length);
  if (plan.size === 0) return;
  const movable = cheapestFirst(holdings, options.coolDownMs);
  for (const [to, count] of plan) {
    const lacking = (): boolean => roster.lacks(to, homes.ids.length);
    if (!lacking()) continue;
    let left = count;
    for (const holding of homes.allFit ? movable.values() : nearest(movable, homes.circle, roster.names.indexOf(to))) {
      if (left === 0) break;
      left -= 1;
      movable.delete(holding.id);
      // The loop may take long to stop. If the other has left or filled its share by then, anyone who is short may take it.
      holding.giveUp('handedOver', () => (lacking() ? { to, forMs: OFFER_TICKS * options.tickMs } : undefined));
    }
  }
}

/** Connections that never started, then those that back off, then those that were claimed first. */
function cheapestFirst<R extends ConnectionRecord, I>(
  holdings: Holdings<R, I>,
  coolDownMs: number,
): Map<string, Holding<R, I>> {
  const costs = [...holdings].map((holding) => ({ holding, cost: holding.moveCost(coolDownMs) }));
  const movable = costs.filter(({ cost }) => cost !== undefined).toSorted((a, b) => a.cost! - b.cost!);
  return new Map(movable.map(({ holding }) => [holding.id, holding]));
}

/**
 * In a large fleet the taker names only what is in its reach, nearest first. Any other connection would be without an
 * owner until another replica looked there.
 */
function* nearest<R extends ConnectionRecord, I>(
  movable: ReadonlyMap<string, Holding<R, I>>,
  circle: Circle,
  rank: number,
): Iterable<Holding<R, I>> {
  const reach = Math.min(circle.size, reachOf(circle.homeSize(rank)));
  for (let steps = 0; steps < reach; steps += 1) {
    const holding = movable.get(circle.at(rank, steps));
    if (holding !== undefined) yield holding;
  }
}

/**
 * To which members `replica` should hand how many of its connections, so that loads become equal. All replicas compute
 * the same plan from the same view, and each carries out its own part. Nobody gives below its own share or takes above
 * it. Views that differ for a moment therefore cost time but no second move.
 *
 * @param members - sorted by name; loads as last reported, and `replica`'s own as it is now
 */
export function planHandOver(replica: string, members: readonly Member[], total: number): ReadonlyMap<string, number> {
  const shares = members.map((_, rank) => shareOf(rank, members.length, total));
  const loads = members.map(({ load }) => load);
  const most = members.map(({ load }, rank) => Math.min(shares[rank]!, load + TAKEN_PER_TICK));
  const plan = new Map<string, number>();
  for (const [giver, { replica: from }] of members.entries()) {
    for (const [taker, { replica: to }] of members.entries()) {
      // A difference of one is balance: moving a connection would only mirror it.
      const moved = Math.min(
        loads[giver]! - shares[giver]!,
        most[taker]! - loads[taker]!,
        Math.floor((loads[giver]! - loads[taker]!) / 2),
      );
      if (moved <= 0) continue;
      loads[giver]! -= moved;
      loads[taker]! += moved;
      if (from === replica) plan.set(to, moved);
    }
  }
  return plan;
}
