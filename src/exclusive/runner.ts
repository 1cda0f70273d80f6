import type { ConnectionRecord } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import { handOverSurplus } from './balance.js';
import type { ClaimHint } from './claims/contract.js';
import { RunnerEnvironment } from './environment.js';
import type { RunnerEvents } from './events.js';
import { Heartbeat } from './heartbeat.js';
import { Hints } from './hints.js';
import { Holdings } from './holdings.js';
import { Homes } from './homes.js';
import { Listing } from './listing.js';
import { checkRunnerListening, resolveRunnerOptions, type ExclusiveRunnerOptions } from './options.js';
import { Releases } from './releases.js';
import { snapshotOf, type RunnerSnapshot } from './snapshot.js';
import { Takeovers } from './takeovers.js';

/** After `stopTimeoutMs` the loops have stopped or are stuck. The store has this long to hear of the last ones. */
const LAST_WORD_MS = 1_000;
/** Two replicas that start within this time see each other before either takes anything. */
const JOIN_MS = 1_000;

/**
 * Gives each listed connection one owner among all replicas, and runs the work that only an owner may do: a long-poll
 * loop, a socket, `setWebhook`. Start one runner per replica, over the same claim store.
 *
 * At most one owner has a valid claim, by the store's clock. An owner that can no longer prove its claim stops before
 * another replica can take over. Call `tenure.assertHeld()` right before each effect, and pass `tenure.token` on to any
 * receiver that can refuse lower ones.
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
  /** The name of this runner in the claim store. It is unique. */
  readonly replica: string;
  readonly #environment: RunnerEnvironment<R, I>;
  readonly #listing: Listing<R, I>;
  readonly #releases: Releases<R, I>;
  readonly #holdings: Holdings<R, I>;
  readonly #homes: Homes<R, I>;
  readonly #takeovers: Takeovers<R, I>;
  readonly #heartbeat: Heartbeat<R, I>;
  readonly #unsubscribe: (() => void)[] = [];
  #hints: Hints<R, I> | undefined;
  #stopped: Promise<void> | undefined;

  /** @throws ConnectionError `INVALID_OPTIONS`, with the option's name, the expected value and the given one */
  constructor(options: ExclusiveRunnerOptions<R, I>) {
    const resolved = resolveRunnerOptions(options);
    this.replica = `${resolved.replicaName}-${crypto.randomUUID()}`;
    const environment = this.#environment = new RunnerEnvironment(this.replica, resolved);
    this.#listing = new Listing(environment, (grown) => this.#listingChanged(grown));
    this.#releases = new Releases(environment);
    this.#holdings = new Holdings(environment, this.#listing, this.#releases, () => void this.stop());
    this.#homes = new Homes(this.#listing, environment.roster);
    this.#takeovers = new Takeovers(environment, this.#listing, this.#holdings, this.#homes);
    const renewed = (joined: boolean): void => this.#renewed(joined);
    this.#heartbeat = new Heartbeat(environment, this.#holdings, this.#takeovers, this.#releases, renewed);
  }

  /**
   * Begins to claim connections. It keeps the process alive until `stop`.
   *
   * @throws ConnectionError `REGISTRY_CLOSED` if the runner was stopped: make a new one
   */
  start(): void {
    const environment = this.#environment;
    if (this.#stopped !== undefined) throw new ConnectionError('REGISTRY_CLOSED', 'This runner has been stopped: make a new one');
    if (environment.state !== 'idle') return;
    environment.state = 'running';
    const { registry, claims, tickMs } = environment.options;
    for (const event of ['retired', 'hydrated'] as const) {
      // The registry is in the middle of a step: look when it is done.
      const unsubscribe = registry.on?.(event, ({ id }) => queueMicrotask(() => this.#holdings.get(id)?.check()));
      if (unsubscribe !== undefined) this.#unsubscribe.push(unsubscribe);
    }
    if (claims.watch !== undefined) {
      const subscribe = (): Promise<AsyncDisposable> => claims.watch!((hint) => this.#released(hint));
      this.#hints = new Hints(environment, tickMs, subscribe, (error) =>
        environment.emit('claimsFailed', { call: 'watch', error }),
      );
    }
    this.#listing.start();
    this.#heartbeat.start(Math.min(tickMs, JOIN_MS));
  }

  /**
   * Stops every loop, and releases each claim as soon as its loop has stopped, so that other replicas take over at once.
   * Resolves after at most `stopTimeoutMs` plus one second. If a loop does not stop within `stopTimeoutMs`, or the claim
   * store cannot be reached, the claim is not released but expires. Close the registry afterwards.
   */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Listens to an event, and returns an unsubscribe function. Exceptions thrown by listeners are caught.
   *
   * @throws ConnectionError `INVALID_OPTIONS` if there is no event of that name
   */
  on<E extends keyof RunnerEvents>(event: E, listener: (payload: RunnerEvents[E]) => void): () => void {
    checkRunnerListening(event, listener);
    return this.#environment.listeners.on(event, listener);
  }

  /** The current state as plain JSON, without record contents. */
  snapshot(): RunnerSnapshot {
    const { state, roster } = this.#environment;
    const listed = this.#listing.ids.length;
    return {
      replica: this.replica, state, members: roster.names, listed, share: roster.share(listed), load: this.#holdings.load,
      connections: [...this.#holdings].map((holding) => snapshotOf(holding)),
    };
  }

  /**
   * Lists and claims now, for example after a connection was added. Resolves when this replica has asked for its part of
   * the new listing. It never rejects, because failures are events. It does nothing if the runner is not running. A replica
   * that has just started claims nothing for about a second, until it has seen the others.
   */
  async refresh(): Promise<void> {
    if (this.#environment.state !== 'running') return;
    await this.#listing.refresh();
    await this.#takeovers.now();
  }

  /**
   * Whether this replica validly owns the connection at this moment, by its own clocks. The answer may be outdated a
   * moment later: call `tenure.assertHeld()` where that matters.
   */
  owns(id: string): boolean {
    return this.#holdings.get(id)?.validity.held === true;
  }

  /** A renewal was answered, so the living replicas are known. */
  #renewed(joined: boolean): void {
    if (this.#environment.state !== 'running') return;
    if (joined) this.#takeovers.enable();
    handOverSurplus(this.#environment, this.#holdings, this.#homes);
    this.#takeovers.tick();
  }

  /** Another replica has released something. */
  #released(hint: ClaimHint | undefined): void {
    // The store of an application may pass on anything that was sent to it. It calls from its socket.
    if (hint?.from === this.replica) return;
    const { roster, clock } = this.#environment;
    if (hint?.left === true) roster.remove(hint.from, clock.monotonic());
    this.#takeovers.released();
  }

  #listingChanged(grown: boolean): void {
    this.#holdings.listingChanged();
    if (grown) this.#takeovers.soon();
  }

  async #stop(): Promise<void> {
    const environment = this.#environment;
    if (environment.state === 'idle') {
      environment.state = 'stopped';
      return;
    }
    environment.state = 'stopping';
    const { clock, options: { stopTimeoutMs } } = environment;
    const cancel = clock.setTimeout(() => environment.giveUp(), stopTimeoutMs + LAST_WORD_MS, { ref: true });
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#takeovers.disable();
    this.#releases.leaveWithNext();
    for (const holding of this.#holdings) holding.giveUp('stopped');
    while (!environment.hasGivenUp) {
      if (!this.#holdings.running && !this.#takeovers.inFlight) {
        this.#releases.flush();
        if (this.#releases.empty) break;
      }
      await environment.progress();
    }
    await this.#heartbeat.stop();
    this.#holdings.stopWatching();
    await this.#releases.leave();
    await this.#listing.stop();
    await this.#hints?.stop();
    cancel();
    environment.state = 'stopped';
    this.#releases.stop();
    environment.giveUp();
  }
}
