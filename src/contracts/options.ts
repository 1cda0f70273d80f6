import type { Clock } from '../clock.js';
import type { ConnectionError } from '../errors.js';
import type { InstanceFactory } from './factory.js';
import type { Awaitable, ConnectionRecord } from './record.js';
import type { StandardSchemaV1 } from './schema.js';
import type { ConnectionStore } from './store.js';

/**
 * The freshness of a use. With `'strict'` it waits for a store read that started after the use did. With `{ maxStaleMs }`
 * the read was sent at most that many milliseconds before.
 */
export type Freshness = 'strict' | { readonly maxStaleMs: number };

/** Everything about a registry that has a default. Durations are milliseconds. */
export interface RegistryTuning {
  /** Default `'strict'`. */
  freshness?: Freshness;
  /** While the store is unreachable, a live instance may serve this long after its last good check. Default 0. */
  staleIfErrorMs?: number;
  /** After this long a read counts as failed and its answer is dropped. Default 5 000. */
  storeTimeoutMs?: number;
  /** The longest wait of a use for its lease, unless `timeoutMs` is given. Default 30 000. */
  acquireTimeoutMs?: number;
  /**
   * How many instances may be live or draining. Idle ones beyond it are evicted, leased ones never. `Infinity`: no limit.
   * Default 1000.
   */
  maxInstances?: number;
  /**
   * Which idle instance is evicted. `'lru'`: the least recently used. `'sieve'`: one that was not used since it was last
   * considered; costs fewer hydrates where a few connections get most of the traffic. Default `'lru'`.
   */
  eviction?: 'lru' | 'sieve';
  /** An instance that was not used for this long is disposed of. `Infinity`: never. Default 600 000. */
  idleTimeoutMs?: number;
  /** How many hydrates may run at a time, of all connections. Default 16. */
  maxConcurrentHydrations?: number;
  /** How many hydrates may wait for a permit. Further uses fail with `OVERLOADED`. Default 1000. */
  maxQueuedHydrations?: number;
  /** After this long a hydrate fails, its signal aborts and its permit is free. Default 30 000. */
  hydrationTimeoutMs?: number;
  /** After this long a dispose is reported and no longer waited for. Default 10 000. */
  disposeTimeoutMs?: number;
  /** A superseded instance waits this long for its leases. Then it is disposed of in use. Default 300 000. */
  drainTimeoutMs?: number;
  /** Everything live is checked against the store in the background at this interval. 0: never. Default 60 000. */
  sweepIntervalMs?: number;
  /**
   * The delay after a failure, per connection and version. It doubles from `initialMs` to `maxMs`, with full jitter. Zeros
   * turn it off. Default 500 and 60 000.
   */
  failureBackoff?: { initialMs: number; maxMs: number };
  /** Webhooks for an unknown id are answered 404 without a read for this long. 0: never. Default 1 000. */
  notFoundTtlMs?: number;
  /**
   * `'overlap'`: a superseded instance drains beside its successor, which may miss what `dispose` writes to the row.
   * `'drain-first'`: it is disposed of, then the row is read again, then the successor is created, also after an eviction.
   * Default `'overlap'`.
   */
  replacement?: 'overlap' | 'drain-first';
  /** A new version that fails to hydrate leaves the old instance serving. Not with `'drain-first'`. Default false. */
  keepLastGood?: boolean;
  /** Options for webhooks whose row, and so their factory, is not known yet. */
  webhook?: {
    /** Checked before the store is touched. Default `/^[A-Za-z0-9._:-]{1,128}$/`. */
    connectionId?: RegExp;
    /** The longest body that is read, in bytes, through every adapter. Default 1 MiB. */
    maxBodyBytes?: number;
    /**
     * How many deliveries may be unauthenticated at a time. Each may hold a body of `maxBodyBytes`. Further ones are
     * answered 503 `OVERLOADED` at once, and `respondToFailure` is not called. Default 2 000.
     */
    maxUnauthenticated?: number;
    /** Returns the response to a failure that comes before the row is known. Afterwards the factory's own is called. */
    respondToFailure?: (failure: ConnectionError, request: Request) => Awaitable<Response | undefined>;
  };
  /** The only source of time. Default: the system's. */
  clock?: Clock;
}

/**
 * Wrapped around every factory call and clean-up, with the row it is for. `secrets`, `create`, `dispose` and clean-ups run
 * in the async context in which the registry was constructed: set the connection's own context (organisation, trace) here.
 */
export type Around<R> = <T>(record: R, work: () => T) => T;

/** The options of a registry before their check, with or without a schema. */
export interface RegistryOptions<R extends ConnectionRecord, I> extends RegistryTuning {
  store: ConnectionStore<ConnectionRecord>;
  factory: InstanceFactory<R, I>;
  recordSchema?: StandardSchemaV1<any, R> | undefined;
  around?: Around<R>;
}

/** The options of a registry with every default filled in. */
export interface ResolvedOptions<R extends ConnectionRecord, I>
  extends Readonly<Required<Omit<RegistryTuning, 'freshness' | 'webhook'>>> {
  readonly store: ConnectionStore<ConnectionRecord>;
  readonly factory: InstanceFactory<R, I>;
  readonly recordSchema: StandardSchemaV1<any, R> | undefined;
  readonly around: Around<R> | undefined;
  /** The bound of `freshness`; nothing is ever as fresh as `-Infinity`, which is `'strict'`. */
  readonly maxStaleMs: number;
  readonly webhook: {
    readonly connectionId: RegExp;
    readonly maxBodyBytes: number;
    readonly maxUnauthenticated: number;
    readonly respondToFailure: ((failure: ConnectionError, request: Request) => Awaitable<Response | undefined>) | undefined;
  };
}

/** The options of a `ConnectionRegistry` whose store decides the type of its records. */
export interface ConnectionRegistryOptions<R extends ConnectionRecord, I> extends RegistryTuning {
  store: ConnectionStore<R>;
  factory: InstanceFactory<NoInfer<R>, I>;
  recordSchema?: StandardSchemaV1<any, R> | undefined;
  around?: Around<NoInfer<R>>;
}

/** The options of a `ConnectionRegistry` whose schema decides the type of its records. */
export interface SchemaRegistryOptions<R extends ConnectionRecord, I> extends RegistryTuning {
  store: ConnectionStore<ConnectionRecord>;
  factory: InstanceFactory<NoInfer<R>, I>;
  recordSchema: StandardSchemaV1<any, R>;
  around?: Around<NoInfer<R>>;
}
