import * as z from 'zod';
import { systemClock, type Clock } from './clock.js';
import type { InstanceFactory } from './contracts/factory.js';
import type { Awaitable, ConnectionRecord } from './contracts/record.js';
import type { StandardSchemaV1 } from './contracts/schema.js';
import type { ConnectionStore } from './contracts/store.js';
import { ConnectionError } from './errors.js';

/**
 * How fresh a use must be. `'strict'`: it rests on a store read that began after the use did. `{ maxStaleMs }`: on one
 * that was sent at most that many milliseconds before.
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
  /** How long a use waits for its lease: the default of `timeoutMs`. Default 30 000. */
  acquireTimeoutMs?: number;
  /** Live instances; idle ones are evicted least recently used first, leased ones never. Default 1000. */
  maxInstances?: number;
  /** An instance that was not used for this long is disposed of. `Infinity`: never. Default 600 000. */
  idleTimeoutMs?: number;
  /** Hydrates that run at a time, across connections. Default 16. */
  maxConcurrentHydrations?: number;
  /** Hydrates that wait for a permit; beyond it a use fails with `OVERLOADED` at once. Default 1000. */
  maxQueuedHydrations?: number;
  /** After this long a hydrate fails, its signal aborts and its permit is free. Default 30 000. */
  hydrationTimeoutMs?: number;
  /** After this long a dispose is reported and no longer waited for. Default 10 000. */
  disposeTimeoutMs?: number;
  /** How long a superseded instance waits for its leases before it is disposed of under them. Default 300 000. */
  drainTimeoutMs?: number;
  /** How often everything live is checked against the store in the background. 0: never. Default 60 000. */
  sweepIntervalMs?: number;
  /** Doubles from `initialMs` to `maxMs`, full jitter, per connection and version. Zeros turn it off. */
  failureBackoff?: { initialMs: number; maxMs: number };
  /** How long an unknown id is answered without a read. 0: never. Default 1 000. */
  notFoundTtlMs?: number;
  /**
   * `'overlap'`: a superseded instance drains beside its successor. `'drain-first'`: it is disposed of before the
   * successor is created. Default `'overlap'`.
   */
  replacement?: 'overlap' | 'drain-first';
  /** A new version that fails to hydrate leaves the old instance serving. Not with `'drain-first'`. Default false. */
  keepLastGood?: boolean;
  /** What concerns webhooks before a row, and so a factory, is known. */
  webhook?: {
    /** Checked before the store is touched. Default `/^[A-Za-z0-9._:-]{1,128}$/`. */
    connectionId?: RegExp;
    /** Default 1 MiB. */
    maxBodyBytes?: number;
    /** Replaces the response to a failure where no factory is known. */
    respondToFailure?: (failure: ConnectionError, request: Request) => Awaitable<Response | undefined>;
  };
  /** The only source of time. Default: the system's. */
  clock?: Clock;
}

/**
 * Wrapped around every factory call. Single-flight runs a hydrate in the asynchronous context of whoever came first;
 * this is where you put the connection's own context (organisation, trace) in its place.
 */
export type Around<R> = <T>(record: R, work: () => T) => T;

/** The options of a registry as they are given. */
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
    readonly respondToFailure: ((failure: ConnectionError, request: Request) => Awaitable<Response | undefined>) | undefined;
  };
}

/** Timers take a signed 32-bit number of milliseconds and overflow to 1 without a word. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** A V8 Map holds at most 2^24 entries. */
const MAX_INSTANCES = 2 ** 24;

/** `expected` completes "expected …": what is refused is answered with what would have been right. */
function expecting<T>(expected: string, check: (value: unknown) => boolean): z.ZodType<T> {
  return z.custom<T>(check, { error: ({ input }) => `expected ${expected}, got ${describe(input)}` });
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || value instanceof RegExp) return String(value);
  return typeof value === 'function' ? 'a function' : Array.isArray(value) ? 'an array' : typeof value === 'symbol' ? 'a symbol' : 'an object';
}

const isFunction = (value: unknown): boolean => typeof value === 'function';
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isDuration = (value: unknown, least: number): boolean => typeof value === 'number' && value >= least && value <= MAX_TIMER_MS;

const duration = (least: 0 | 1): z.ZodType<number> =>
  expecting(`milliseconds from ${least} to ${MAX_TIMER_MS}`, (value) => isDuration(value, least));
const durationOrNever = (least: 0 | 1): z.ZodType<number> =>
  expecting(`milliseconds from ${least} to ${MAX_TIMER_MS}, or Infinity`, (value) => value === Infinity || isDuration(value, least));
const count = (least: 0 | 1, most: number = Number.MAX_SAFE_INTEGER): z.ZodType<number> =>
  expecting(most === Number.MAX_SAFE_INTEGER ? `an integer of at least ${least}` : `an integer from ${least} to ${most}`,
    (value) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most);
const optionalFunction = <T>(what = 'a function'): z.ZodOptional<z.ZodType<T>> => expecting<T>(what, isFunction).optional();
const oneOf = <T>(...values: T[]): z.ZodType<T> =>
  expecting(values.map((value) => describe(value)).join(' or '), (value) => values.includes(value as T));

const isFreshness = (value: unknown): boolean => value === 'strict'
  || (isObject(value) && (value['maxStaleMs'] === Infinity || isDuration(value['maxStaleMs'], 0)));
const freshness = expecting<Freshness>(`'strict' or { maxStaleMs } with milliseconds from 0 to ${MAX_TIMER_MS}, or Infinity`, isFreshness);

const replacement = oneOf<'overlap' | 'drain-first'>('overlap', 'drain-first');

const methods = (...names: string[]) => (value: unknown): boolean =>
  isObject(value) && names.every((name) => isFunction(value[name]));
const optionalMethods = (...names: string[]) => (value: unknown): boolean =>
  isObject(value) && names.every((name) => value[name] === undefined || isFunction(value[name]));

const store = expecting<ConnectionStore>('a store: an object with get(id)', methods('get'))
  .refine(optionalMethods('getMany', 'getVersions', 'watch'), 'expected getMany, getVersions and watch to be functions where the store has them');

/** Only looked at, never copied: a factory may be an instance of a class. */
const factoryShape = z.looseObject({
  create: expecting('a function (record, context) => instance', isFunction),
  dispose: optionalFunction(),
  secrets: optionalFunction(),
  handleWebhook: optionalFunction(),
  authenticate: expecting("'in-handler' or a function (request, { record, secrets }) => boolean | Response",
    (value) => value === 'in-handler' || isFunction(value)).optional(),
  acknowledge: z.looseObject({ afterMs: duration(0), respond: expecting('a function', isFunction) }).optional(),
  respondToFailure: optionalFunction(),
  replacement: replacement.optional(),
  maxConcurrentHydrations: count(1).optional(),
}).refine((factory) => factory.handleWebhook === undefined || factory.authenticate !== undefined, {
  path: ['authenticate'],
  error: "expected 'in-handler' or a function, for handleWebhook must say how a request is authenticated, got nothing",
});

const optionsShape = z.strictObject({
  store,
  factory: expecting('a factory: an object with create(record, context)', isObject),
  recordSchema: expecting<StandardSchemaV1<any, any>>("a Standard Schema (an object or function with '~standard')",
    (value) => (isObject(value) || isFunction(value)) && isFunction((value as StandardSchemaV1)['~standard']?.validate)).optional(),
  around: optionalFunction<Around<any>>('a function (record, work) => work()'),
  freshness: freshness.default('strict'),
  staleIfErrorMs: durationOrNever(0).default(0),
  storeTimeoutMs: durationOrNever(1).default(5_000),
  acquireTimeoutMs: durationOrNever(1).default(30_000),
  maxInstances: count(1, MAX_INSTANCES).default(1000),
  idleTimeoutMs: durationOrNever(0).default(600_000),
  maxConcurrentHydrations: count(1).default(16),
  maxQueuedHydrations: count(0).default(1000),
  hydrationTimeoutMs: durationOrNever(1).default(30_000),
  disposeTimeoutMs: durationOrNever(1).default(10_000),
  drainTimeoutMs: durationOrNever(0).default(300_000),
  sweepIntervalMs: durationOrNever(0).default(60_000),
  failureBackoff: z.strictObject({ initialMs: duration(0), maxMs: duration(0) }, { error: notAnObject('{ initialMs, maxMs }') })
    .refine(({ initialMs, maxMs }) => initialMs <= maxMs, { path: ['maxMs'], error: 'expected maxMs to be at least initialMs' })
    .default({ initialMs: 500, maxMs: 60_000 }),
  notFoundTtlMs: duration(0).default(1_000),
  replacement: replacement.default('overlap'),
  keepLastGood: oneOf(true, false).default(false),
  webhook: z.strictObject({
    connectionId: expecting<RegExp>('a regular expression without the flags g and y, which keep a position between calls',
      (value) => value instanceof RegExp && !value.global && !value.sticky).default(/^[A-Za-z0-9._:-]{1,128}$/),
    maxBodyBytes: count(0).default(1024 * 1024),
    respondToFailure: optionalFunction<NonNullable<NonNullable<RegistryTuning['webhook']>['respondToFailure']>>(),
  }, { error: notAnObject('{ connectionId, maxBodyBytes, respondToFailure }') }).prefault({}),
  clock: expecting<Clock>('a clock: { now, monotonic, setTimeout }', methods('now', 'monotonic', 'setTimeout')).default(systemClock),
}, { error: notAnObject('an object of options') });

function notAnObject(expected: string) {
  return (issue: { code?: string | undefined; input?: unknown; keys?: unknown }): string => issue.code === 'unrecognized_keys'
    ? `does not know ${(issue.keys as string[]).map((key) => `'${key}'`).join(', ')}`
    : `expected ${expected}, got ${describe(issue.input)}`;
}

function check<S extends z.ZodType>(what: string, shape: S, value: unknown, at = ''): z.output<S> {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const path = [...(at === '' ? [] : [at]), ...issue.path.map(String)].join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  throw invalidOptions(`${what}: ${problems.join('; ')}`);
}

function invalidOptions(message: string): ConnectionError<'INVALID_OPTIONS'> {
  return new ConnectionError('INVALID_OPTIONS', message);
}

/** @throws ConnectionError `INVALID_OPTIONS` when `factory` is not one */
export function checkFactory(factory: unknown, what: string, at: string): void {
  check(what, factoryShape, isObject(factory) ? plainView(factory) : factory, at);
}

/** A factory's members may be inherited, which zod does not look at. */
function plainView(factory: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.keys(factoryShape.shape).map((key) => [key, factory[key]]));
}

/** @throws ConnectionError `INVALID_OPTIONS`, naming the option, what was expected and what came */
export function resolveOptions<R extends ConnectionRecord, I>(options: RegistryOptions<R, I>): ResolvedOptions<R, I> {
  const what = 'ConnectionRegistry';
  const resolved = check(what, optionsShape, options);
  checkFactory(options.factory, what, 'factory');
  if (resolved.keepLastGood && (options.factory.replacement ?? resolved.replacement) === 'drain-first') {
    throw invalidOptions(`${what}: keepLastGood: expected false with replacement 'drain-first', which disposes of the last good instance first, got true`);
  }
  const { freshness: asked, ...rest } = resolved;
  return Object.freeze({
    ...rest,
    store: options.store,
    factory: options.factory,
    recordSchema: options.recordSchema,
    around: resolved.around,
    maxStaleMs: maxStale(asked),
    webhook: Object.freeze({ ...resolved.webhook, respondToFailure: resolved.webhook.respondToFailure }),
  });
}

const maxStale = (asked: Freshness): number => asked === 'strict' ? -Infinity : asked.maxStaleMs;

/**
 * The bound that one call asks for; `-Infinity` is `'strict'`.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export function resolveFreshness(asked: Freshness): number {
  return maxStale(isFreshness(asked) ? asked : check('use', freshness, asked, 'freshness'));
}

/** @throws ConnectionError `INVALID_OPTIONS` */
export function resolveTimeout(timeoutMs: number): number {
  return isDuration(timeoutMs, 0) ? timeoutMs : check('use', durationOrNever(0), timeoutMs, 'timeoutMs');
}

/** @throws ConnectionError `INVALID_OPTIONS` */
export function resolveDrainTimeout(drainTimeoutMs: number): number {
  return check('close', durationOrNever(0), drainTimeoutMs, 'drainTimeoutMs');
}
