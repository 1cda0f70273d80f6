import { systemClock, type Clock } from '../clock.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { StoreListener } from '../contracts/store.js';
import { ConnectionError } from '../errors.js';
import type { Connections } from '../connections.js';
import type { ProvisionContext } from './attempt.js';
import type { ClaimStore } from './claims/contract.js';
import { RUNNER_EVENTS } from './events.js';
import type { ListedConnection } from './listing.js';
import type { Tenure } from './tenure.js';

/** What a runner asks of a registry: `ConnectionRegistry` has it, and so has an object literal in a test. */
export interface RunnerRegistry<out R, out I> extends Pick<Connections<R, I>, 'acquire'> {
  /** With it, a death or a replacement that the registry knows of ends the tenure at once instead of at the next tick. */
  on?(event: 'retired' | 'hydrated', listener: (payload: { id: string }) => void): () => void;
}

/** Options of an `ExclusiveRunner`. Durations are milliseconds. `run`, `provision` or both are required. */
export interface ExclusiveRunnerOptions<R extends ConnectionRecord, I> {
  registry: RunnerRegistry<R, I>;
  /** The same for all replicas: `PostgresClaims`, `RedisClaims`, or `MemoryClaims` within one process. */
  claims: ClaimStore;
  /**
   * All connections that are to have an owner: ids, or rows with `id` and `version` (`() => store.list()`). With
   * versions an edit ends the tenure at the next listing; with ids alone, when the registry has heard of it.
   */
  list: () => Awaitable<readonly (string | ListedConnection)[]>;
  /**
   * What only one replica may do: the loop. It goes on until `tenure.signal` aborts, stops whatever it has started and
   * returns; returning earlier counts as a failure. What must be exclusive belongs here and not into the factory's
   * `create`, for every replica may hydrate an instance to send something. Without it the claim alone is kept.
   */
  run?: (tenure: Tenure<R, I>) => Awaitable<void>;
  /**
   * What is to be done once per version of the record, by one replica, before `run` (Telegram's `setWebhook`). It is
   * repeated after a failure, and may be after a crash: at least once, so make it idempotent.
   */
  provision?: (record: R, context: ProvisionContext<I>) => Awaitable<void>;
  /** Hints that the listing may have changed: `(listener) => store.watch(listener)`. */
  watch?: (listener: StoreListener) => Promise<AsyncDisposable>;
  /** From a renewal until the claim may be taken over. The same for all replicas. Default 45 000. */
  ttlMs?: number;
  /** How long before that an owner that could not renew gives up. Default `ttlMs` / 6. */
  marginMs?: number;
  /** The tick: how often claims are renewed, in one query. Default `ttlMs` / 9. */
  renewIntervalMs?: number;
  /** How often `list` is called. Default 2 × `renewIntervalMs`. */
  listIntervalMs?: number;
  /** How long `run` may take to stop. After it the claim is not released but runs out. Default 10 000. */
  stopTimeoutMs?: number;
  /** How long `provision` may take. Default 30 000. */
  provisionTimeoutMs?: number;
  /** After this long in `run`, earlier failures no longer count. Default `ttlMs`. */
  stableAfterMs?: number;
  /** After failed starts: doubles from `initialMs` to `maxMs`, full jitter. Default 1 000 and 300 000. */
  startBackoff?: { initialMs: number; maxMs: number };
  /** After so many failed starts in a row another replica tries. Default 5. */
  handOverAfterFailures?: number;
  /** Starts (hydrate and provision) at a time: takeovers must not take all permits from webhooks. Default 8. */
  maxConcurrentStarts?: number;
  /** A connection that this replica has claimed is not handed over for balance before this long. Default `ttlMs`. */
  handOverCoolDownMs?: number;
  /** Begins this replica's name in the claim store, for people who look. Default `replica`. */
  replicaName?: string;
  /** The only source of time. Default: the system's. */
  clock?: Clock;
  /** From 0 to less than 1, for the jitter. Default `Math.random`. */
  random?: () => number;
}

/** The options with every default filled in. */
export type ResolvedRunnerOptions<R extends ConnectionRecord, I> =
  & Required<Omit<ExclusiveRunnerOptions<R, I>, 'run' | 'provision' | 'watch'>>
  & { [K in 'run' | 'provision' | 'watch']: ExclusiveRunnerOptions<R, I>[K] | undefined };

/** Timers take a signed 32-bit number of milliseconds and overflow to 1 without a word. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** @throws ConnectionError `INVALID_OPTIONS`, naming the option, what was expected and what came */
export function resolveRunnerOptions<R extends ConnectionRecord, I>(options: ExclusiveRunnerOptions<R, I>): ResolvedRunnerOptions<R, I> {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options);
  const { registry, claims, list, run, provision, watch } = options;
  if (!hasMethods(registry, 'acquire')) throw invalid('registry', 'a ConnectionRegistry', registry);
  if (!hasMethods(claims, 'renew', 'claim', 'release')) throw invalid('claims', 'a claim store: an object with renew, claim and release', claims);
  if (typeof list !== 'function') throw invalid('list', 'a function', list);
  if (run === undefined && provision === undefined) throw invalid('run', 'a function, or provision instead', run);
  for (const [name, value] of Object.entries({ run, provision, watch })) {
    if (value !== undefined && typeof value !== 'function') throw invalid(name, 'a function', value);
  }
  const ttlMs = duration('ttlMs', options.ttlMs ?? 45_000, 10);
  const renewIntervalMs = duration('renewIntervalMs', options.renewIntervalMs ?? ttlMs / 9, 1);
  const marginMs = duration('marginMs', options.marginMs ?? ttlMs / 6, 0);
  if (2 * renewIntervalMs + marginMs > ttlMs) {
    throw invalid('renewIntervalMs', `at most (ttlMs - marginMs) / 2 = ${(ttlMs - marginMs) / 2}, so that a renewal has a second chance`, renewIntervalMs);
  }
  const { initialMs, maxMs } = options.startBackoff ?? { initialMs: 1_000, maxMs: 300_000 };
  duration('startBackoff.initialMs', initialMs, 1);
  duration('startBackoff.maxMs', maxMs, initialMs);
  const replicaName = options.replicaName ?? 'replica';
  if (typeof replicaName !== 'string' || !/^[\w.:-]{1,64}$/.test(replicaName)) throw invalid('replicaName', '1 to 64 letters, digits and ._:-', replicaName);
  const clock = options.clock ?? systemClock;
  if (!hasMethods(clock, 'now', 'monotonic', 'setTimeout')) throw invalid('clock', 'a clock: { now, monotonic, setTimeout }', clock);
  const random = options.random ?? Math.random;
  if (typeof random !== 'function') throw invalid('random', 'a function', random);
  return {
    registry, claims, list, run, provision, watch, ttlMs, renewIntervalMs, marginMs, replicaName, clock, random,
    startBackoff: { initialMs, maxMs },
    listIntervalMs: duration('listIntervalMs', options.listIntervalMs ?? 2 * renewIntervalMs, 1),
    stopTimeoutMs: duration('stopTimeoutMs', options.stopTimeoutMs ?? 10_000, 0),
    provisionTimeoutMs: duration('provisionTimeoutMs', options.provisionTimeoutMs ?? 30_000, 1),
    stableAfterMs: duration('stableAfterMs', options.stableAfterMs ?? ttlMs, 0),
    handOverCoolDownMs: duration('handOverCoolDownMs', options.handOverCoolDownMs ?? ttlMs, 0),
    handOverAfterFailures: count('handOverAfterFailures', options.handOverAfterFailures ?? 5),
    maxConcurrentStarts: count('maxConcurrentStarts', options.maxConcurrentStarts ?? 8),
  };
}

/** @throws ConnectionError `INVALID_OPTIONS` */
export function checkRunnerListening(event: unknown, listener: unknown): void {
  if (typeof event !== 'string' || !Object.hasOwn(RUNNER_EVENTS, event)) throw invalid('on', `one of ${Object.keys(RUNNER_EVENTS).join(', ')}`, event);
  if (typeof listener !== 'function') throw invalid('on', 'a function', listener);
}

function duration(name: string, value: number, least: number): number {
  if (typeof value === 'number' && value >= least && value <= MAX_TIMER_MS) return value;
  throw invalid(name, `milliseconds from ${least} to ${MAX_TIMER_MS}`, value);
}

function count(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw invalid(name, 'an integer of at least 1', value);
}

function hasMethods(value: unknown, ...names: string[]): boolean {
  return typeof value === 'object' && value !== null && names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}

function invalid(name: string, expected: string, actual: unknown): ConnectionError<'INVALID_OPTIONS'> {
  const got = typeof actual === 'string' || typeof actual === 'number' ? JSON.stringify(actual) : actual === null ? 'null' : typeof actual;
  return new ConnectionError('INVALID_OPTIONS', `ExclusiveRunner: ${name}: expected ${expected}, got ${got}`);
}
