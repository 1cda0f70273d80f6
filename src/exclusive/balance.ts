import type { ConnectionRecord } from '../contracts/record.js';
import type { Holding } from './holding.js';
import type { Holdings } from './holdings.js';
import type { Roster } from './roster.js';
import { planHandOver } from './share.js';

/** An offer is open for so many ticks: without a hint the taker looks once a tick. */
const OFFER_TICKS = 3;

export interface BalanceHost<R extends ConnectionRecord, I> {
  readonly replica: string;
  readonly roster: Roster;
  readonly holdings: Holdings<R, I>;
  readonly tickMs: number;
  readonly coolDownMs: number;
}

/**
 * Hands over what is more than this replica's share, each connection straight to the replica that lacks one. Shedding
 * without a direction would let replicas that lack nothing take part in the race for it.
 */
export class Balance<R extends ConnectionRecord, I> {
  readonly #host: BalanceHost<R, I>;

  constructor(host: BalanceHost<R, I>) {
    this.#host = host;
  }

  /** @param total - how many connections there are */
  restore(total: number): void {
    const { replica, roster, holdings, tickMs } = this.#host;
    const plan = planHandOver(replica, roster.members(holdings.load), total);
    if (plan.size === 0) return;
    const movable = this.#movable();
    for (const [to, count] of plan) {
      if (!roster.established(to)) continue;
      for (const holding of movable.splice(0, count)) holding.giveUp('handedOver', { to, forMs: OFFER_TICKS * tickMs });
    }
  }

  /** Cheapest first: what has never started, then what is backing off, then what has been here for longest. */
  #movable(): Holding<R, I>[] {
    const costs = [...this.#host.holdings].map((holding) => ({ holding, cost: holding.moveCost(this.#host.coolDownMs) }));
    return costs.filter(({ cost }) => cost !== undefined).toSorted((a, b) => a.cost! - b.cost!).map(({ holding }) => holding);
  }
}
