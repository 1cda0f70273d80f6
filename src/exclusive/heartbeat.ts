import type { Clock } from '../clock.js';
import type { ConnectionRecord } from '../contracts/record.js';
import { answeredWithin } from './answered.js';
import type { ClaimStore, HeldClaim, Member, RenewResult } from './claims/contract.js';
import { readInstant, type Instant } from './hold.js';
import type { Holding } from './holding.js';
import type { Holdings } from './holdings.js';
import type { Takeovers } from './takeovers.js';

export interface HeartbeatHost<R extends ConnectionRecord, I> {
  readonly replica: string;
  readonly clock: Clock;
  readonly claims: ClaimStore;
  readonly holdings: Holdings<R, I>;
  readonly takeovers: Takeovers;
  readonly ttlMs: number;
  readonly tickMs: number;
  readonly timeoutMs: number;
  /** Whether this replica is to be counted as living. */
  readonly member: () => boolean;
  /** What it tells the others as its load. */
  readonly load: () => number;
  answered(members: readonly Member[]): void;
  /** This replica owns something it does not know of: the answer to a claim was lost. */
  stray(claim: HeldClaim): void;
  failed(error: unknown): void;
}

/** What went along with a renewal, by id. */
type Sent<R extends ConnectionRecord, I> = ReadonlyMap<string, { readonly holding: Holding<R, I>; readonly notes: string | undefined }>;

/**
 * Renews at every tick. It depends on nothing but its timer: no hydrate, listing, claim or release can be in front of
 * it. At most one renewal is under way; one that is not answered is given up after `timeoutMs` and sent anew.
 */
export class Heartbeat<R extends ConnectionRecord, I> {
  readonly #host: HeartbeatHost<R, I>;
  #renewal: Promise<void> | undefined;
  #announced = false;
  #stopped = false;
  #cancel: (() => void) | undefined;

  constructor(host: HeartbeatHost<R, I>) {
    this.#host = host;
  }

  /** The second beat follows after `secondMs` already. */
  start(secondMs: number): void {
    this.#beat(secondMs);
  }

  /** Resolves when no renewal is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#renewal;
  }

  /**
   * Whether a renewal that calls this replica a member may still be carried out: it was sent, and has not been answered.
   * A leave that overtakes it is undone by it.
   */
  get announced(): boolean {
    return this.#announced;
  }

  #beat(nextMs: number): void {
    const { clock, holdings, tickMs } = this.#host;
    this.#cancel = clock.setTimeout(() => this.#beat(tickMs), nextMs, { ref: true });
    holdings.watchDeadlines();
    for (const holding of holdings) holding.check();
    this.#renewal ??= this.#renew();
  }

  async #renew(): Promise<void> {
    const { replica, clock, claims, holdings, takeovers, ttlMs, timeoutMs, member, load } = this.#host;
    const sent: Sent<R, I> = new Map([...holdings].filter((holding) => holding.renewable)
      .map((holding) => [holding.id, { holding, notes: holding.unsavedNotes }]));
    const held = [...sent.values()].map(({ holding: { id, hold: { token } }, notes }) => ({ id, token, notes }));
    const request = { replica, ttlMs, member: member(), load: load(), held };
    const takeoversBefore = takeovers.inFlight ? undefined : takeovers.count;
    this.#announced ||= request.member;
    const sentAt = readInstant(clock);
    let result: RenewResult | undefined;
    try {
      result = await answeredWithin(clock, timeoutMs, (options) => claims.renew(request, options));
      this.#announced = false;
    } catch (error) {
      if (!this.#stopped) this.#host.failed(error);
    }
    this.#renewal = undefined;
    if (result === undefined || this.#stopped) return;
    this.#take(result, sent, sentAt);
    // While a claim is on its way, what it has taken looks like a stray.
    if (takeoversBefore === takeovers.count) for (const claim of result.strays) if (!holdings.has(claim.id)) this.#host.stray(claim);
    this.#host.answered(result.members);
  }

  /** An id that is in neither list is unknown: its hold goes on until the local deadline. */
  #take({ renewed, lost }: RenewResult, sent: Sent<R, I>, sentAt: Instant): void {
    for (const id of renewed) {
      const renewal = sent.get(id);
      renewal?.holding.hold.prove(sentAt);
      if (renewal?.notes !== undefined) renewal.holding.notesSaved(renewal.notes);
    }
    for (const id of lost) sent.get(id)?.holding.lose();
  }
}
