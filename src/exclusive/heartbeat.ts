import type { ConnectionRecord } from '../contracts/record.js';
import type { RenewResult } from './claims/contract.js';
import type { RunnerEnvironment } from './environment.js';
import type { Holding } from './holding.js';
import type { Holdings } from './holdings.js';
import type { Releases } from './releases.js';
import type { Takeovers } from './takeovers.js';
import { readInstant, type Instant } from './validity.js';

/** The requests that were sent along with a renewal, by id. */
type Sent<R extends ConnectionRecord, I> = ReadonlyMap<
  string,
  { readonly holding: Holding<R, I>; readonly notes: string | undefined }
>;

/**
 * Renews at every tick. It depends on its timer alone: no hydrate, listing, claim or release can delay it. At most one
 * renewal is under way. A renewal that is not answered in time is given up and sent anew.
 */
export class Heartbeat<R extends ConnectionRecord, I> {
  readonly #environment: RunnerEnvironment<R, I>;
  readonly #holdings: Holdings<R, I>;
  readonly #takeovers: Takeovers<R, I>;
  readonly #releases: Releases<R, I>;
  readonly #answered: (joined: boolean) => void;
  /** The load that the last answered beat has sent. Below 0 while the others must not hand anything to this replica. */
  #load: number | undefined;
  #renewal: Promise<void> | undefined;
  #stopped = false;
  #cancel: (() => void) | undefined;

  /**
   * @param answered - called when a renewal was answered, so the living replicas are known. Once this replica has joined,
   * they include others that started at the same moment.
   */
  constructor(
    environment: RunnerEnvironment<R, I>,
    holdings: Holdings<R, I>,
    takeovers: Takeovers<R, I>,
    releases: Releases<R, I>,
    answered: (joined: boolean) => void,
  ) {
    this.#environment = environment;
    this.#holdings = holdings;
    this.#takeovers = takeovers;
    this.#releases = releases;
    this.#answered = answered;
  }

  /** The second beat follows after only `secondMs`. */
  start(secondMs: number): void {
    this.#beat(secondMs);
  }

  /** Resolves when no renewal is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#renewal;
  }

  #beat(nextMs: number): void {
    const { clock, options } = this.#environment;
    this.#cancel = clock.setTimeout(() => this.#beat(options.tickMs), nextMs, { ref: true });
    this.#holdings.watchDeadlines();
    for (const holding of this.#holdings) holding.check();
    this.#renewal ??= this.#renew();
  }

  async #renew(): Promise<void> {
    const { replica, clock, roster, state, options: { ttlMs } } = this.#environment;
    const sentAt = readInstant(clock);
    const sent: Sent<R, I> = new Map([...this.#holdings].filter((holding) => holding.renewableAt(sentAt))
      .map((holding) => [holding.id, { holding, notes: holding.notes.unsaved }]));
    const held = [...sent.values()].map(({ holding: { id, validity: { token } }, notes }) => ({ id, token, notes }));
    const member = state === 'running';
    // At the answer to its second beat a replica begins to take its share.
    const joined = this.#load !== undefined;
    const load = joined && this.#takeovers.known ? this.#holdings.load : -1;
    const takeoversBefore = this.#takeovers.inFlight ? undefined : this.#takeovers.count;
    this.#releases.announced ||= member;
    const result = await this.#environment.ask('renew', (claims, options) =>
      claims.renew({ replica, ttlMs, member, load, held }, options),
    );
    this.#renewal = undefined;
    if (result === undefined) return;
    this.#releases.announced = false;
    if (this.#stopped) return;
    // It has named this replica a member after a release had said that it leaves.
    if (member && this.#environment.state !== 'running') this.#releases.leaveWithNext();
    this.#take(result, sent, sentAt);
    // While a claim query is under way, the claims it took look like strays.
    if (takeoversBefore === this.#takeovers.count) {
      for (const claim of result.strays) if (!this.#holdings.has(claim.id)) this.#releases.add({ claim });
    }
    roster.update(result.members, (this.#load ?? -1) < 0, sentAt.monotonic);
    this.#load = load;
    this.#answered(joined);
  }

  /** An id that is in neither list is unknown: it stays valid until the local deadline. */
  #take({ renewed, lost }: RenewResult, sent: Sent<R, I>, sentAt: Instant): void {
    for (const id of renewed) {
      const renewal = sent.get(id);
      renewal?.holding.validity.prove(sentAt);
      if (renewal?.notes !== undefined) renewal.holding.notes.saved(renewal.notes);
    }
    for (const id of lost) sent.get(id)?.holding.lose();
  }
}
