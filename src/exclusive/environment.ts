import pLimit from 'p-limit';
import type { Clock } from '../clock.js';
import type { ConnectionRecord } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import { surroundings, type Surroundings } from '../surroundings.js';
import { within } from '../within.js';
import type { ClaimCallOptions, ClaimStore } from './claims/contract.js';
import { runnerListeners, type RunnerEvents } from './events.js';
import type { ResolvedRunnerOptions } from './options.js';
import { Roster } from './roster.js';

/** Shared by all parts of a runner: options, time, listeners, living replicas, and calls to user code. */
export class RunnerEnvironment<R extends ConnectionRecord, I> {
  /** This process's name in the claim store. */
  readonly replica: string;
  readonly options: ResolvedRunnerOptions<R, I>;
  readonly clock: Clock;
  readonly listeners: ReturnType<typeof runnerListeners>;
  readonly roster: Roster;
  /** Calls foreign code in the async context in which the runner was constructed, never in a request's. */
  readonly inOwnContext: Surroundings = surroundings();
  state: 'idle' | 'running' | 'stopping' | 'stopped' = 'idle';
  readonly #limitStarts: ReturnType<typeof pLimit>;
  /** Requests that wait for an answer, as functions that give them up. */
  readonly #requests = new Set<(reason: Error) => void>();
  #givenUp: Error | undefined;
  #progressed: (() => void) | undefined;

  constructor(replica: string, options: ResolvedRunnerOptions<R, I>) {
    this.replica = replica;
    this.options = options;
    this.clock = options.clock;
    this.listeners = runnerListeners(options.clock);
    this.roster = new Roster(replica);
    this.#limitStarts = pLimit(options.maxConcurrentStarts);
  }

  /** Listeners are foreign code: they run after the step that caused the event. */
  emit<E extends keyof RunnerEvents>(event: E, payload: RunnerEvents[E]): void {
    queueMicrotask(() => this.listeners.emit(event, payload));
  }

  /**
   * Makes a call, and stops waiting for its answer after `ms`, or when everything is given up. A later answer is dropped.
   *
   * @throws ConnectionError `STORE_UNAVAILABLE` when there was no answer in time
   */
  async request<T>(ms: number, send: (options: { readonly signal: AbortSignal }) => T | PromiseLike<T>): Promise<T> {
    if (this.#givenUp !== undefined) throw this.#givenUp;
    const controller = new AbortController();
    let giveUp!: (reason: Error) => void;
    const answer = new Promise<T>((resolve, reject) => {
      giveUp = (reason) => {
        controller.abort(reason);
        reject(reason);
      };
      this.#requests.add(giveUp);
      // Not resolved with the call itself: a promise that follows another one can no longer be rejected.
      const options = { get signal() { return controller.signal; } };
      new Promise<T>((settle) => { settle(this.inOwnContext(send, options)); }).then(resolve, reject);
    });
    try {
      return await within(this.clock, ms, answer, () => {
        const overdue = new ConnectionError('STORE_UNAVAILABLE', `No answer within ${Math.round(ms)} ms`);
        controller.abort(overdue);
        throw overdue;
      });
    } finally {
      this.#requests.delete(giveUp);
    }
  }

  /** Gives up every request, those under way and those to come: the runner has had its time to stop. */
  giveUp(): void {
    this.#givenUp ??= new ConnectionError('STORE_UNAVAILABLE', 'No answer before the runner had to stop');
    for (const giveUp of this.#requests) giveUp(this.#givenUp);
    this.progressed();
  }

  get hasGivenUp(): boolean {
    return this.#givenUp !== undefined;
  }

  /** Asks the claim store. A call that failed or was not answered in time is reported, and resolves with `undefined`. */
  async ask<T extends {}>(
    call: 'renew' | 'claim' | 'release',
    send: (claims: ClaimStore, options: ClaimCallOptions) => Promise<T>,
  ): Promise<T | undefined> {
    const { claims, tickMs } = this.options;
    try {
      return await this.request(2 * tickMs, (options) => send(claims, options));
    } catch (error) {
      this.emit('claimsFailed', { call, error });
      return undefined;
    }
  }

  /**
   * Queues a start. Calls `begin` when fewer than `maxConcurrentStarts` are under way, and never before this returns.
   * `begin` receives a function that makes room for the next start. Returns a function that leaves the queue.
   */
  queueStart(begin: (startDone: () => void) => void): () => void {
    let queued = true;
    void this.#limitStarts(() => new Promise<void>((resolve) => {
      if (queued) begin(resolve);
      else resolve();
    }));
    return () => { queued = false; };
  }

  /** Something of this replica's has ended: a claim query, a release, a holding. */
  progressed(): void {
    this.#progressed?.();
  }

  /** Resolves at the next {@link progressed}. */
  progress(): Promise<void> {
    return new Promise((resolve) => { this.#progressed = resolve; });
  }
}
