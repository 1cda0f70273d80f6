import * as z from 'zod';
import { systemClock, type Clock } from './clock.js';
import { factoriesWithin, isCopyOfComposite } from './composite-factory.js';
import type { Around, Freshness, RegistryOptions, RegistryTuning, ResolvedOptions } from './contracts/options.js';
import type { ConnectionRecord } from './contracts/record.js';
import type { StandardSchemaV1 } from './contracts/schema.js';
import type { ConnectionStore } from './contracts/store.js';
import { ConnectionError } from './errors.js';

/** Timers take a signed 32-bit number of milliseconds and overflow to 1 without a word. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** A V8 Map holds at most 2^24 entries. */
const MAX_INSTANCES = 2 ** 24;

/**
 * What is made when it is first needed, and then kept. A schema that is made while the module loads stays in the bundle
 * of whoever takes no more than an error class, and zod with it.
 */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}

/** `expected` completes "expected …": what is refused is answered with what would have been right. */
function expecting<T>(expected: string, accepts: (value: unknown) => boolean, got: (value: unknown) => string = quote): z.ZodType<T> {
  return z.custom<T>(accepts, { error: ({ input }) => `expected ${expected}, got ${got(input)}` });
}

function quote(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value) : describe(value);
}

/** Where no string belongs, one is not repeated: it may be a connection string with its password. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return 'a string';
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
const aFunction = <T>(what = 'a function'): z.ZodType<T> => expecting<T>(what, isFunction, describe);
const optionalFunction = <T>(what?: string): z.ZodOptional<z.ZodType<T>> => aFunction<T>(what).optional();
const oneOf = <T>(...values: T[]): z.ZodType<T> =>
  expecting(values.map((value) => quote(value)).join(' or '), (value) => values.includes(value as T));

const isFreshness = (value: unknown): boolean => value === 'strict'
  || (isObject(value) && (value['maxStaleMs'] === Infinity || isDuration(value['maxStaleMs'], 0)));
const freshness = (): z.ZodType<Freshness> => expecting(`'strict' or { maxStaleMs } with milliseconds from 0 to ${MAX_TIMER_MS}, or Infinity`, isFreshness);

const replacement = (): z.ZodType<'overlap' | 'drain-first'> => oneOf('overlap', 'drain-first');

const methods = (...names: string[]) => (value: unknown): boolean =>
  isObject(value) && names.every((name) => isFunction(value[name]));

const store = (): z.ZodType<ConnectionStore> => expecting<ConnectionStore>('a store: an object with get(id)', methods('get'), describe).check(({ value, issues }) => {
  for (const name of ['getMany', 'getVersions', 'watch'] as const) {
    const member: unknown = (value as Partial<ConnectionStore>)[name];
    if (member === undefined || isFunction(member)) continue;
    issues.push({ code: 'custom', input: member, path: [name], message: `expected a function, or no such member, got ${describe(member)}` });
  }
});

const A_FACTORY = 'a factory: an object with create(record, context)';

/** Only looked at, never copied: a factory may be an instance of a class. */
const factoryShape = /* @__PURE__ */ once(() => z.looseObject({
  create: aFunction('a function (record, context) => instance'),
  dispose: optionalFunction(),
  secrets: optionalFunction(),
  handleWebhook: optionalFunction(),
  authenticate: expecting("'in-handler' or a function (request, { record, secrets }) => boolean | Response",
    (value) => value === 'in-handler' || isFunction(value)).optional(),
  acknowledge: z.looseObject({ afterMs: duration(0), respond: aFunction() }, { error: notAnObject('{ afterMs, respond }') }).optional(),
  respondToFailure: optionalFunction(),
  replacement: replacement().optional(),
  maxConcurrentHydrations: count(1).optional(),
}, { error: notAnObject(A_FACTORY) }).refine((factory) => factory.handleWebhook === undefined || factory.authenticate !== undefined, {
  path: ['authenticate'],
  error: "expected 'in-handler' or a function, for handleWebhook must say how a request is authenticated, got nothing",
}));

const optionsShape = /* @__PURE__ */ once(() => z.strictObject({
  store: store(),
  factory: expecting(A_FACTORY, isObject, describe),
  recordSchema: expecting<StandardSchemaV1<any, any>>("a Standard Schema (an object or function with '~standard')",
    (value) => (isObject(value) || isFunction(value)) && isFunction((value as StandardSchemaV1)['~standard']?.validate), describe).optional(),
  around: optionalFunction<Around<any>>('a function (record, work) => work()'),
  freshness: freshness().default('strict'),
  staleIfErrorMs: durationOrNever(0).default(0),
  storeTimeoutMs: durationOrNever(1).default(5_000),
  acquireTimeoutMs: durationOrNever(1).default(30_000),
  maxInstances: count(1, MAX_INSTANCES).default(1000),
  eviction: oneOf<'lru' | 'sieve'>('lru', 'sieve').default('lru'),
  idleTimeoutMs: durationOrNever(0).default(600_000),
  maxConcurrentHydrations: count(1).default(16),
  maxQueuedHydrations: count(0).default(1000),
  hydrationTimeoutMs: durationOrNever(1).default(30_000),
  disposeTimeoutMs: durationOrNever(1).default(10_000),
  drainTimeoutMs: durationOrNever(0).default(300_000),
  sweepIntervalMs: durationOrNever(0).default(60_000),
  failureBackoff: z.strictObject({ initialMs: duration(0), maxMs: duration(0) }, { error: notAnObject('{ initialMs, maxMs }') })
    .refine(({ initialMs, maxMs }) => initialMs <= maxMs, {
      path: ['maxMs'],
      error: ({ input }) => {
        const { initialMs, maxMs } = input as { initialMs: number; maxMs: number };
        return `expected at least initialMs (${initialMs}), got ${maxMs}`;
      },
    })
    .default({ initialMs: 500, maxMs: 60_000 }),
  notFoundTtlMs: duration(0).default(1_000),
  replacement: replacement().default('overlap'),
  keepLastGood: oneOf(true, false).default(false),
  webhook: z.strictObject({
    connectionId: expecting<RegExp>('a regular expression without the flags g and y, which keep a position between calls',
      (value) => value instanceof RegExp && !value.global && !value.sticky).default(/^[A-Za-z0-9._:-]{1,128}$/),
    maxBodyBytes: count(0).default(1024 * 1024),
    respondToFailure: optionalFunction<NonNullable<NonNullable<RegistryTuning['webhook']>['respondToFailure']>>(),
  }, { error: notAnObject('{ connectionId, maxBodyBytes, respondToFailure }') }).prefault({}),
  // By a function, for zod copies a default that is an object, and a copy is not known as the system's clock.
  clock: expecting<Clock>('a clock: { now, monotonic, setTimeout }', methods('now', 'monotonic', 'setTimeout'), describe).default(() => systemClock),
}, { error: notAnObject('an object of options') }));

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

function unexpected(where: string, expected: string, got: string): ConnectionError<'INVALID_OPTIONS'> {
  return invalidOptions(`${where}: expected ${expected}, got ${got}`);
}

function checkFactory(factory: unknown, what: string, at: string): void {
  if (isObject(factory) && isCopyOfComposite(factory as never)) throw unexpected(`${what}: ${at}`, 'what factoryByPlatform returned (wrap the factories in it)', 'a copy');
  check(what, factoryShape(), isObject(factory) ? plainView(factory) : factory, at);
}

const platformKey = (): z.ZodType<string> => expecting("the name of the records' discriminant, such as 'platform'", (value) => typeof value === 'string' && value !== '');
const factories = (): z.ZodType<Record<string, unknown>> => expecting('an object with one factory for each platform', (value) => isObject(value) && !Array.isArray(value), describe);

/**
 * What `factoryByPlatform` was given.
 *
 * @throws ConnectionError `INVALID_OPTIONS`, naming the platform
 */
export function checkFactories(key: unknown, byPlatform: unknown): void {
  const what = 'factoryByPlatform';
  check(what, platformKey(), key, 'key');
  for (const [platform, factory] of Object.entries(check(what, factories(), byPlatform, 'factories'))) checkFactory(factory, what, platform);
}

/** A factory's members may be inherited, which zod does not look at. */
function plainView(factory: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.keys(factoryShape().shape).map((key) => [key, factory[key]]));
}

/** @throws ConnectionError `INVALID_OPTIONS`, naming the option, what was expected and what came */
export function resolveOptions<R extends ConnectionRecord, I>(options: RegistryOptions<R, I>): ResolvedOptions<R, I> {
  const what = 'ConnectionRegistry';
  const resolved = check(what, optionsShape(), options);
  checkFactory(options.factory, what, 'factory');
  if (resolved.keepLastGood && factoriesWithin(options.factory).some((factory) => (factory.replacement ?? resolved.replacement) === 'drain-first')) {
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
  return maxStale(isFreshness(asked) ? asked : check('use', freshness(), asked, 'freshness'));
}

/** @throws ConnectionError `INVALID_OPTIONS` when what a call was given is no object of options */
export function checkCall(what: 'use' | 'close', options: unknown): void {
  if (!isObject(options) || Array.isArray(options)) throw unexpected(what, 'an object of options', describe(options));
}

/** By its shape: it may be another realm's. */
const isSignal = /* @__PURE__ */ methods('addEventListener', 'removeEventListener');

/** @throws ConnectionError `INVALID_OPTIONS` */
export function checkSignal(signal: AbortSignal): void {
  if (!isSignal(signal)) throw unexpected('use: signal', 'an AbortSignal', describe(signal));
}

/** @throws ConnectionError `INVALID_OPTIONS` */
export function resolveTimeout(timeoutMs: number): number {
  return isDuration(timeoutMs, 0) ? timeoutMs : check('use', durationOrNever(0), timeoutMs, 'timeoutMs');
}

/** @throws ConnectionError `INVALID_OPTIONS` */
export function resolveDrainTimeout(drainTimeoutMs: number): number {
  return check('close', durationOrNever(0), drainTimeoutMs, 'drainTimeoutMs');
}

/** @throws ConnectionError `INVALID_OPTIONS` */
export function checkListening(events: Readonly<Record<string, boolean>>, event: unknown, listener: unknown): void {
  if (typeof event !== 'string' || !Object.hasOwn(events, event)) {
    const names = Object.keys(events).map((name) => `'${name}'`);
    throw unexpected('on', `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`, quote(event));
  }
  if (!isFunction(listener)) throw unexpected('on', 'a function', describe(listener));
}
