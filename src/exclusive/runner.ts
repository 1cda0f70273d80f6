import type { ConnectionRecord } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import { Balance } from './balance.js';
import type { Claim, ClaimHint } from './claims/contract.js';
import { runnerListeners, type RunnerEvents } from './events.js';
import { StartGate } from './gate.js';
import { Heartbeat } from './heartbeat.js';
import { Hints } from './hints.js';
import { Hold, type Instant } from './hold.js';
import { Holding } from './holding.js';
import type { HoldingHost } from './holding-host.js';
import { Holdings } from './holdings.js';
import { Listing } from './listing.js';
import { checkRunnerListening, resolveRunnerOptions, type ExclusiveRunnerOptions, type ResolvedRunnerOptions } from './options.js';
import { Releases } from './releases.js';
import { Roster } from './roster.js';
import { snapshotOf, type RunnerSnapshot } from './snapshot.js';
import { Takeovers } from './takeovers.js';

/** Two replicas that start within this time see each other before either takes anything. */
const JOIN_MS = 1_000;
/** At the answer to its second beat a replica begins to take its share. */
const JOINING_BEATS = 2;

/**
 * Gives each of the listed connections one owner among all replicas that run this, and runs what only an owner may do:
 * a long-poll loop, a socket, `setWebhook`. Start one per replica, over the same claim store.
 *
 * At most one owner has a valid claim, by the store's clock. An owner that cannot prove its claim any more stops
 * believing before it can be taken over; call `tenure.assertHeld()` right before each effect, and pass `tenure.token`
 * on to whatever can refuse lower ones.
 *
 * @example
 * const runner = new ExclusiveRunner({
 *   registry, claims, list: () => store.list(),
 *   async run({ signal, use, assertHeld }) {
 *     while (!signal.aborted) await use(async (bot) => { assertHeld(); await bot.poll(signal); });
 *   },
 * });
 * runner.start();
 * process.once('SIGTERM', async () => { await runner.stop(); await registry.close(); });
 */
export class ExclusiveRunner<R extends ConnectionRecord, I> implements AsyncDisposable {
  /** This process's name in the claim store: unique per runner. */
  readonly replica: string;
  readonly #options: ResolvedRunnerOptions<R, I>;
  readonly #listeners = runnerListeners();
  readonly #holdings: Holdings<R, I>;
  readonly #host: HoldingHost<R, I>;
  readonly #roster: Roster;
  readonly #listing: Listing;
  readonly #takeovers: Takeovers;
  readonly #heartbeat: Heartbeat<R, I>;
  readonly #balance: Balance<R, I>;
  readonly #releases: Releases;
  readonly #unsubscribe: (() => void)[] = [];
  #hints: Hints | undefined;
  #state: RunnerSnapshot['state'] = 'idle';
  #beats = 0;
  #stopped: Promise<void> | undefined;
  #progress: (() => void) | undefined;

  /** @throws ConnectionError `INVALID_OPTIONS`, naming the option, what was expected and what came */
  constructor(options: ExclusiveRunnerOptions<R, I>) {
    const resolved = this.#options = resolveRunnerOptions(options);
    const { clock, claims, registry, run, provision, random, ttlMs, marginMs, renewIntervalMs: tickMs } = resolved;
    const replica = this.replica = `${resolved.replicaName}-${crypto.randomUUID()}`;
    const timeoutMs = 2 * tickMs;
    const failed = (call: RunnerEvents['claimsFailed']['call']) => (error: unknown): void => this.#emit('claimsFailed', { call, error });
    const holdings = this.#holdings = new Holdings<R, I>(clock);
    const roster = this.#roster = new Roster(replica);
    this.#host = {
      replica, clock, random, registry,
      duties: { run, provision },
      gate: new StartGate(resolved.maxConcurrentStarts),
      limits: resolved,
      emit: (event, payload) => this.#emit(event, payload),
      othersLive: () => roster.othersLive,
      over: (holding) => this.#over(holding),
      registryClosed: () => void this.stop(),
    };
    const listing = this.#listing = new Listing({
      clock,
      intervalMs: resolved.listIntervalMs, list: resolved.list, watch: resolved.watch, versionsRequired: run === undefined,
      changed: (grown) => this.#listed(grown),
      failed: (error) => this.#emit('listFailed', { error }),
    });
    const takeovers = this.#takeovers = new Takeovers({
      replica, clock, claims, listing, roster, ttlMs, tickMs, timeoutMs,
      load: () => holdings.load,
      occupied: (id) => holdings.has(id),
      taken: (taken, sentAt) => this.#taken(taken, sentAt),
      failed: failed('claim'),
    });
    this.#heartbeat = new Heartbeat<R, I>({
      replica, clock, claims, holdings, takeovers, ttlMs, tickMs, timeoutMs,
      member: () => this.#state === 'running',
      load: () => (this.#beats === 0 ? -1 : holdings.load),
      answered: (members) => {
        this.#beats += 1;
        roster.update(members, this.#beats <= JOINING_BEATS);
        this.#beaten();
      },
      stray: (claim) => this.#releases.add({ claim }),
      failed: failed('renew'),
    });
    this.#balance = new Balance<R, I>({ replica, roster, holdings, tickMs, coolDownMs: resolved.handOverCoolDownMs });
    this.#releases = new Releases({
      replica, clock, claims, timeoutMs, marginMs, retryMs: tickMs,
      announced: () => this.#heartbeat.announced,
      progressed: () => this.#progress?.(),
      failed: failed('release'),
    });
  }

  /**
   * Begins to take connections. It keeps the process alive until `stop`.
   *
   * @throws ConnectionError `REGISTRY_CLOSED` once it has been stopped: make a new one
   */
  start(): void {
    if (this.#stopped !== undefined) throw new ConnectionError('REGISTRY_CLOSED', 'This runner has been stopped: make a new one');
    if (this.#state !== 'idle') return;
    this.#state = 'running';
    const { registry, claims, clock, renewIntervalMs } = this.#options;
    for (const event of ['retired', 'hydrated'] as const) {
      // The registry is in the middle of a step: look when it is done.
      const unsubscribe = registry.on?.(event, ({ id }) => queueMicrotask(() => this.#holdings.get(id)?.check()));
      if (unsubscribe !== undefined) this.#unsubscribe.push(unsubscribe);
    }
    if (claims.watch !== undefined) {
      this.#hints = new Hints({
        clock, retryMs: renewIntervalMs,
        subscribe: () => claims.watch!((hint) => this.#released(hint)),
        failed: (error) => this.#emit('claimsFailed', { call: 'watch', error }),
      });
    }
    this.#listing.start();
    this.#heartbeat.start(Math.min(renewIntervalMs, JOIN_MS));
  }

  /**
   * Stops every loop, releases each claim as soon as its loop has stopped, so that others take over at once, and
   * leaves. Resolves when everything is released, or has been left to run out: a loop that does not stop within
   * `stopTimeoutMs`, a store that cannot be reached. Close the registry afterwards.
   */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Listens to an event. A listener that throws harms nobody. Returns what ends the listening.
   *
   * @throws ConnectionError `INVALID_OPTIONS` for an event there is not, which would never be heard of
   */
  on<E extends keyof RunnerEvents>(event: E, listener: (payload: RunnerEvents[E]) => void): () => void {
    checkRunnerListening(event, listener);
    return this.#listeners.on(event, listener);
  }

  /** What there is at the moment, as plain JSON. No record contents. */
  snapshot(): RunnerSnapshot {
    const listed = this.#listing.ids.length;
    return {
      replica: this.replica, state: this.#state, members: this.#roster.names,
      listed, share: this.#roster.share(listed), load: this.#holdings.load,
      connections: [...this.#holdings].map((holding) => snapshotOf(holding)),
    };
  }

  /** A renewal was answered: who lives is known. */
  #beaten(): void {
    if (this.#state !== 'running') return;
    // After the first answer, replicas that start at this moment have not been seen yet.
    if (this.#beats >= JOINING_BEATS) this.#takeovers.enable();
    this.#balance.restore(this.#listing.ids.length);
    this.#takeovers.soon();
  }

  /** Somebody says that there is something to take. */
  #released({ from, left }: ClaimHint): void {
    if (from === this.replica) return;
    if (left) this.#roster.remove(from);
    this.#takeovers.soon();
  }

  /** There is a new listing. */
  #listed(grown: boolean): void {
    for (const holding of this.#holdings) {
      if (this.#listing.has(holding.id)) holding.listed(this.#listing.version(holding.id));
      else holding.giveUp('unlisted');
    }
    if (grown) this.#takeovers.soon();
  }

  #taken(taken: readonly Claim[], sentAt: Instant): void {
    const { clock, ttlMs, marginMs } = this.#options;
    for (const claim of taken) {
      const hold = new Hold(claim.token, sentAt, ttlMs - marginMs, clock);
      if (this.#state !== 'running' || !this.#listing.has(claim.id) || this.#holdings.has(claim.id)) this.#releases.add({ claim, hold });
      else this.#holdings.add(new Holding(claim, hold, this.#listing.version(claim.id), this.#host));
    }
    // The answer may have come so late that they have run out already.
    this.#holdings.watchDeadlines();
    this.#progress?.();
  }

  /** Nothing of a holding goes on any more, or it did not stop in time. */
  #over(holding: Holding<R, I>): void {
    const { id, hold: { token }, release } = holding;
    if (release === 'none') this.#holdings.delete(holding);
    else if (release !== undefined) {
      this.#releases.add({ claim: { id, token, ...release }, hold: holding.hold, released: () => this.#holdings.delete(holding) });
    }
    this.#progress?.();
  }

  async #stop(): Promise<void> {
    if (this.#state === 'idle') {
      this.#state = 'stopped';
      return;
    }
    this.#state = 'stopping';
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#takeovers.disable();
    this.#releases.leaveWithNext();
    for (const holding of this.#holdings) holding.giveUp('stopped');
    while (this.#holdings.settling || this.#takeovers.inFlight || !this.#releases.empty) {
      await new Promise<void>((resolve) => { this.#progress = resolve; });
    }
    await this.#heartbeat.stop();
    this.#holdings.stopWatching();
    await this.#releases.leave();
    await this.#listing.stop();
    await this.#hints?.stop();
    this.#state = 'stopped';
  }

  /** Listeners are foreign code: they run when the step that gave rise to the event is complete. */
  #emit<E extends keyof RunnerEvents>(event: E, payload: RunnerEvents[E]): void {
    queueMicrotask(() => this.#listeners.emit(event, payload));
  }
}
