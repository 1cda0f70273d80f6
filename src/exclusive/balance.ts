import type { ConnectionRecord } from '../contracts/record.js';
import { MAX_NAMED } from './candidates.js';
import type { Member } from './claims/contract.js';
import type { RunnerEnvironment } from './environment.js';
import type { Holding } from './holding.js';
import type { Holdings } from './holdings.js';
import { shareOf, type Roster } from './roster.js';

/** An offer is open for this many ticks. Without a hint the taker looks once per tick. */
const OFFER_TICKS = 3;

/**
 * Hands over the connections beyond this replica's share, each one directly to a replica that lacks one. Shedding them
 * without a direction would let replicas that lack nothing race for them.
 *
 * @param total - how many connections there are
 */
export function handOverSurplus<R extends ConnectionRecord, I>(
  { replica, roster, options }: RunnerEnvironment<R, I>,
  holdings: Holdings<R, I>,
  total: number,
): void {
  const plan = planHandOver(replica, roster.members(holdings.load), total);
  if (plan.size === 0) return;
  const movable = cheapestFirst(holdings, options.coolDownMs);
  for (const [to, count] of plan) {
    if (!roster.established(to)) continue;
    const moved = total <= MAX_NAMED ? movable.splice(0, count) : atHomeWith(roster, to, movable, count);
    for (const holding of moved) holding.giveUp('handedOver', { to, forMs: OFFER_TICKS * options.tickMs });
  }
}

/**
 * In a large fleet a replica looks through its home first. A connection from elsewhere would be without an owner until
 * the taker comes by, so it stays where it is, and loads differ by a little more than one.
 */
function atHomeWith<R extends ConnectionRecord, I>(
  roster: Roster,
  to: string,
  movable: readonly Holding<R, I>[],
  count: number,
): Holding<R, I>[] {
  const rank = roster.names.indexOf(to);
  return movable.filter(({ id }) => roster.home(id) === rank).slice(0, count);
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
  const plan = new Map<string, number>();
  for (const [giver, { replica: from }] of members.entries()) {
    for (const [taker, { replica: to }] of members.entries()) {
      // A difference of one is balance: moving a connection would only mirror it.
      const moved = Math.min(
        loads[giver]! - shares[giver]!,
        shares[taker]! - loads[taker]!,
        Math.floor((loads[giver]! - loads[taker]!) / 2),
      );
      if (moved <= 0) continue;
      loads[giver]! -= moved;
      loads[taker]! += moved;
      if (from === replica) plan.set(to, moved);
    }
    if (from === replica) break;
  }
  return plan;
}

/** Connections that never started, then those that back off, then those that were claimed first. */
function cheapestFirst<R extends ConnectionRecord, I>(holdings: Holdings<R, I>, coolDownMs: number): Holding<R, I>[] {
  const costs = [...holdings].map((holding) => ({ holding, cost: holding.moveCost(coolDownMs) }));
  return costs.filter(({ cost }) => cost !== undefined).toSorted((a, b) => a.cost! - b.cost!).map(({ holding }) => holding);
}
