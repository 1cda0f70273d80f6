import {
  aFunction,
  backoff,
  check,
  count,
  duration,
  once,
  optional,
  ruled,
  shape,
  text,
  withDefault,
  withMethods,
  type Check,
} from '../checks.js';
import { systemClock, type Clock } from '../clock.js';
import type { Awaitable, ConnectionRecord, ConnectionStatus, Version } from '../contracts/record.js';
import type { StoreListener } from '../contracts/store.js';
import type { Connections } from '../connections.js';
import type { ClaimStore } from './claims/contract.js';
import { RUNNER_EVENTS } from './events.js';
import type { ProvisionContext, Tenure } from './tenure.js';

/** The part of a `ConnectionRegistry` that a runner uses. A fake of it is one object literal. */
export interface RunnerRegistry<out R, out I> extends Pick<Connections<R, I>, 'acquire'> {
  /** With it, a tenure ends as soon as the registry reports that its instance died or was replaced, not at the next tick. */
  on?(event: 'retired' | 'hydrated', listener: (payload: { id: string }) => void): () => void;
}

/** A connection that should have an owner. A row has all of it. */
export interface ListedConnection {
  readonly id: string;
  /** With it, the runner notices an edit at the next listing. Without it, the runner waits until the registry notices it. */
  readonly version?: Version | undefined;
  /** A stopped connection gets no owner. */
  readonly status?: ConnectionStatus | undefined;
}

/** Options of an `ExclusiveRunner`. Durations are milliseconds. `run`, `provision` or both are required. */
export interface ExclusiveRunnerOptions<R extends ConnectionRecord, I> {
  registry: RunnerRegistry<R, I>;
  /** The same for all replicas: `PostgresClaims`, `RedisClaims`, or `MemoryClaims` within one process. */
  claims: ClaimStore;
  /**
   * All connections that should have an owner: ids, or rows with `id` and `version` (`() => store.list()`). With
   * versions, an edit ends the tenure at the next listing. With ids alone, it ends when the registry notices the edit.
   */
  list: () => Awaitable<readonly (string | ListedConnection)[]>;
  /**
   * The loop that only one replica may run. It runs until `tenure.signal` aborts, stops everything that it started, and
   * returns. Returning earlier counts as a failure. Put exclusive work here and not into the factory's `create`, because
   * every replica may hydrate an instance to send something. Without `run`, only the claim is kept.
   */
  run?: (tenure: Tenure<R, I>) => Awaitable<void>;
  /**
   * Work to be done once per version of the record, by one replica, before `run` (Telegram's `setWebhook`). It is
   * repeated after a failure, and may be repeated after a crash, so make it idempotent.
   *
   * It does not run again while a row has the version that was provisioned last. In `tableStore` and `PostgresStore`, the
   * version is by default a hash of the row. A row that is deleted and created again unchanged therefore keeps its version.
   * To provision it again, change it or call `touch`.
   */
  provision?: (record: R, context: ProvisionContext<I>) => Awaitable<void>;
  /** Hints that the listing may have changed: `(listener) => store.watch(listener)`. */
  watch?: (listener: StoreListener) => Promise<AsyncDisposable>;
  /**
   * From a renewal until the claim may be taken over. The same for all replicas. Claims are renewed every `ttlMs` / 9,
   * and an owner that could not renew stops `ttlMs` / 6 before the end. Default 45 000.
   */
  ttlMs?: number;
  /** How often `list` is called. Default 2 / 9 of `ttlMs`. */
  listIntervalMs?: number;
  /** How long `run` may take to stop. After that, the claim is not released but expires. Default 10 000. */
  stopTimeoutMs?: number;
  /** How long `provision` may take. Default 30 000. */
  provisionTimeoutMs?: number;
  /** The delay after failed starts. It doubles from `initialMs` to `maxMs`, with full jitter. Default 1 000 and 300 000. */
  startBackoff?: { initialMs: number; maxMs: number };
  /** After this many failed starts in a row another replica tries. Default 5. */
  handOverAfterFailures?: number;
  /** How many starts (hydrate and provision) may be under way, so that takeovers leave permits to webhooks. Default 8. */
  maxConcurrentStarts?: number;
  /** The beginning of this replica's name in the claim store. Default `replica`. */
  replicaName?: string;
  /** The only source of time. Default: the system's. */
  clock?: Clock;
}

/** The options with every default filled in, and the durations that follow from `ttlMs`. */
export type ResolvedRunnerOptions<R extends ConnectionRecord, I> =
  & Required<Omit<ExclusiveRunnerOptions<R, I>, 'run' | 'provision' | 'watch'>>
  & { [K in 'run' | 'provision' | 'watch']: ExclusiveRunnerOptions<R, I>[K] | undefined }
  & {
    /** How often claims are renewed, in one query. */
    tickMs: number;
    /** How long before the claim runs out its owner stops relying on it. */
    marginMs: number;
    /** A connection that this replica has claimed is not handed over for balance before this long. */
    coolDownMs: number;
  };

type Functions = Pick<ExclusiveRunnerOptions<ConnectionRecord, unknown>, 'list' | 'run' | 'provision' | 'watch'>;

const optionsShape = /* @__PURE__ */ once(() =>
  ruled(
    shape('an object of options', {
      registry: withMethods<RunnerRegistry<ConnectionRecord, unknown>>('a ConnectionRegistry', 'acquire'),
      claims: withMethods<ClaimStore>('a claim store: an object with renew, claim and release', 'renew', 'claim', 'release'),
      list: aFunction<Functions['list']>(),
      run: optional(aFunction<NonNullable<Functions['run']>>()),
      provision: optional(aFunction<NonNullable<Functions['provision']>>()),
      watch: optional(aFunction<NonNullable<Functions['watch']>>()),
      ttlMs: withDefault(duration(10), 45_000),
      listIntervalMs: optional(duration(1)),
      stopTimeoutMs: withDefault(duration(0), 10_000),
      provisionTimeoutMs: withDefault(duration(1), 30_000),
      startBackoff: withDefault(backoff(1), () => ({ initialMs: 1_000, maxMs: 300_000 })),
      handOverAfterFailures: withDefault(count(1), 5),
      maxConcurrentStarts: withDefault(count(1), 8),
      replicaName: withDefault(
        text('1 to 64 letters, digits and ._:-', (name) => /^[\w.:-]{1,64}$/.test(name)),
        'replica',
      ),
      clock: withDefault<Clock>(
        withMethods('a clock: { now, monotonic, setTimeout }', 'now', 'monotonic', 'setTimeout'),
        () => systemClock,
      ),
    }),
    ({ run, provision }) =>
      run !== undefined || provision !== undefined
        ? undefined
        : { path: 'run', message: 'expected a function, or provision instead, got nothing' },
  ),
);

/** @throws ConnectionError `INVALID_OPTIONS`, with each wrong option's name, the expected value and the given one */
export function resolveRunnerOptions<R extends ConnectionRecord, I>(
  options: ExclusiveRunnerOptions<R, I>,
): ResolvedRunnerOptions<R, I> {
  const { run, provision, watch, ...checked } = check('ExclusiveRunner', optionsShape() as Check<CheckedOptions<R, I>>, options);
  const { ttlMs, listIntervalMs = (ttlMs * 2) / 9 } = checked;
  // `RunnerEnvironment.ask` gives a call of the claim store two ticks. Change the two together.
  return { ...checked, run, provision, watch, listIntervalMs, tickMs: ttlMs / 9, marginMs: ttlMs / 6, coolDownMs: ttlMs };
}

type CheckedOptions<R extends ConnectionRecord, I> =
  & Omit<ResolvedRunnerOptions<R, I>, 'listIntervalMs' | 'tickMs' | 'marginMs' | 'coolDownMs'>
  & Pick<ExclusiveRunnerOptions<R, I>, 'listIntervalMs'>;

/** @throws ConnectionError `INVALID_OPTIONS` */
export function checkRunnerListening(event: unknown, listener: unknown): void {
  check('ExclusiveRunner', eventName(), event, 'on');
  check('ExclusiveRunner', aFunction(), listener, 'on');
}

const eventName = /* @__PURE__ */ once(() =>
  text(`one of ${Object.keys(RUNNER_EVENTS).join(', ')}`, (name) => Object.hasOwn(RUNNER_EVENTS, name)),
);
