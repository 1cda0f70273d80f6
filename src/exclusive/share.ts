import type { Member } from './claims/contract.js';

/**
 * How many of `total` connections the member at `rank` (of `members`, sorted by name) is to own. The shares of all
 * add up to `total` and differ by at most one. Who is not counted has a rank below 0, and owns none.
 */
export function shareOf(rank: number, members: number, total: number): number {
  if (rank < 0) return 0;
  return Math.floor(total / members) + (rank < total % members ? 1 : 0);
}

/**
 * Whom `replica` should hand how many of its connections, so that loads become equal. Everybody computes the same
 * plan from the same view and carries out its own part of it; nobody goes below its own share, and nobody takes more
 * than its own, so views that differ for a moment cost time and not a second move.
 *
 * @param members - sorted by name; loads as last reported, `replica`'s own as it is
 */
export function planHandOver(replica: string, members: readonly Member[], total: number): ReadonlyMap<string, number> {
  const shares = members.map((_, rank) => shareOf(rank, members.length, total));
  const loads = members.map(({ load }) => load);
  const plan = new Map<string, number>();
  for (const [giver, { replica: from }] of members.entries()) {
    for (const [taker, { replica: to }] of members.entries()) {
      // A difference of one is balance: moving a connection would only mirror it.
      const moved = Math.min(loads[giver]! - shares[giver]!, shares[taker]! - loads[taker]!, Math.floor((loads[giver]! - loads[taker]!) / 2));
      if (moved <= 0) continue;
      loads[giver]! -= moved;
      loads[taker]! += moved;
      if (from === replica) plan.set(to, moved);
    }
    if (from === replica) break;
  }
  return plan;
}
