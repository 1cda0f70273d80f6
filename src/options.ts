import {
  aFunction, backoff, check, count, countOrInfinity, describe, duration, durationOrNever, expecting, hasMethods,
  isDuration, isFunction, isObject, looseShape, once, oneOf, optional, quote, ruled, shape, shapeOfDefaults, text, unexpected,
  withDefault, withMethods, type Check,
} from './checks.js';
import { systemClock, type Clock } from './clock.js';
import { factoriesWithin, isCopyOfComposite } from './composite-factory.js';
import type { Around, Freshness, RegistryOptions, RegistryTuning, ResolvedOptions } from './contracts/options.js';
import type { ConnectionRecord } from './contracts/record.js';
import type { StandardSchemaV1 } from './contracts/schema.js';
import type { ConnectionStore } from './contracts/store.js';

/** A V8 Map holds at most 2^24 entries. */
const MAX_INSTANCES = 2 ** 24;

const isFreshness = (value: unknown): boolean => value === 'strict'
  || (isObject(value) && (value['maxStaleMs'] === Infinity || isDuration(value['maxStaleMs'], 0)));
const freshness = (): Check<Freshness> =>
  expecting("'strict' or { maxStaleMs } with milliseconds from 0 to 2147483647, or Infinity", isFreshness);

const replacement = (): Check<'overlap' | 'drain-first'> => oneOf('overlap', 'drain-first');

const store = (): Check<ConnectionStore> =>
  ruled(withMethods<ConnectionStore>('a store: an object with get(id)', 'get'), (value) => {
    const name = (['getMany', 'getVersions', 'watch'] as const).find(
      (one) => value[one] !== undefined && !isFunction(value[one]),
    );
    return name === undefined
      ? undefined
      : { path: name, message: `expected a function, or no such member, got ${describe(value[name])}` };
  });

const A_FACTORY = 'a factory: an object with create(record, context)';

/** Only looked at, never copied: a factory may be an instance of a class. */
const factoryMembers = /* @__PURE__ */ once(() => ({
  create: aFunction('a function (record, context) => instance'),
  dispose: optional(aFunction()),
  secrets: optional(aFunction()),
  handleWebhook: optional(aFunction()),
  authenticate: optional(expecting("'in-handler' or a function (request, { record, secrets }) => boolean | Response",
    (value) => value === 'in-handler' || isFunction(value))),
  acknowledge: optional(looseShape('{ afterMs, respond }', { afterMs: duration(0), respond: aFunction() })),
  respondToFailure: optional(aFunction()),
  replacement: optional(replacement()),
  maxConcurrentHydrations: optional(count(1)),
}));

const factoryShape = /* @__PURE__ */ once(() =>
  ruled(looseShape(A_FACTORY, factoryMembers()), ({ handleWebhook, authenticate }) =>
    handleWebhook === undefined || authenticate !== undefined
      ? undefined
      : {
          path: 'authenticate',
          message: "expected 'in-handler' or a function, because there is a handleWebhook to protect, got nothing",
        },
  ),
);

const optionsShape = /* @__PURE__ */ once(() =>
  shape('an object of options', {
    store: store(),
    factory: expecting(A_FACTORY, isObject, describe),
    recordSchema: optional(
      expecting<StandardSchemaV1<any, any>>(
        "a Standard Schema (an object or function with '~standard')",
        (value) => hasMethods((value as StandardSchemaV1 | undefined)?.['~standard'], 'validate'),
        describe,
      ),
    ),
    around: optional(aFunction<Around<any>>('a function (record, work) => work()')),
    freshness: withDefault(freshness(), 'strict'),
    staleIfErrorMs: withDefault(durationOrNever(0), 0),
    storeTimeoutMs: withDefault(durationOrNever(1), 5_000),
    acquireTimeoutMs: withDefault(durationOrNever(1), 30_000),
    maxInstances: withDefault(countOrInfinity(1, MAX_INSTANCES), 1000),
    eviction: withDefault(oneOf<'lru' | 'sieve'>('lru', 'sieve'), 'lru'),
    idleTimeoutMs: withDefault(durationOrNever(0), 600_000),
    maxConcurrentHydrations: withDefault(count(1), 16),
    maxQueuedHydrations: withDefault(count(0), 1000),
    hydrationTimeoutMs: withDefault(durationOrNever(1), 30_000),
    disposeTimeoutMs: withDefault(durationOrNever(1), 10_000),
    drainTimeoutMs: withDefault(durationOrNever(0), 300_000),
    sweepIntervalMs: withDefault(durationOrNever(0), 60_000),
    failureBackoff: withDefault(backoff(0), { initialMs: 500, maxMs: 60_000 }),
    notFoundTtlMs: withDefault(duration(0), 1_000),
    replacement: withDefault(replacement(), 'overlap'),
    keepLastGood: withDefault(oneOf(true, false), false),
    webhook: shapeOfDefaults('{ connectionId, maxBodyBytes, maxUnauthenticated, respondToFailure }', {
      connectionId: withDefault(
        expecting<RegExp>(
          'a regular expression without the flags g and y, which keep a position between calls',
          (value) => value instanceof RegExp && !value.global && !value.sticky,
        ),
        /^[A-Za-z0-9._:-]{1,128}$/,
      ),
      maxBodyBytes: withDefault(count(0), 1024 * 1024),
      maxUnauthenticated: withDefault(count(1), 2_000),
      respondToFailure: optional(aFunction<NonNullable<NonNullable<RegistryTuning['webhook']>['respondToFailure']>>()),
    }),
    clock: withDefault<Clock>(
      withMethods('a clock: { now, monotonic, setTimeout }', 'now', 'monotonic', 'setTimeout'),
      () => systemClock,
    ),
  }),
);

function checkFactory(factory: unknown, what: string, at: string): void {
  if (isObject(factory) && isCopyOfComposite(factory as never)) {
    throw unexpected(`${what}: ${at}`, 'the factory that factoryByPlatform returned (wrap the factories in it)', 'a copy');
  }
  check(what, factoryShape(), isObject(factory) ? plainView(factory) : factory, at);
}

/** Copies the members into a plain object. zod does not look at inherited ones. */
function plainView(factory: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.keys(factoryMembers()).map((key) => [key, factory[key]]));
}

/**
 * Checks the arguments of `factoryByPlatform`.
 *
 * @throws ConnectionError `INVALID_OPTIONS`, naming the platform
 */
export function checkFactories(key: unknown, byPlatform: unknown): void {
  const what = 'factoryByPlatform';
  check(what, text("the name of the field that names the platform, such as 'platform'", (value) => value !== ''), key, 'key');
  const factories = expecting<Record<string, unknown>>('an object with one factory for each platform',
    (value) => isObject(value) && !Array.isArray(value) && Object.keys(value).length > 0,
    (value) => describe(value) === 'an object' ? 'an object without members' : describe(value));
  for (const [platform, factory] of Object.entries(check(what, factories, byPlatform, 'factories')))
    checkFactory(factory, what, platform);
}

/** @throws ConnectionError `INVALID_OPTIONS`, naming the option, what was expected and what came */
export function resolveOptions<R extends ConnectionRecord, I>(options: RegistryOptions<R, I>): ResolvedOptions<R, I> {
  const what = 'ConnectionRegistry';
  const { freshness: asked, ...resolved } = check(what, optionsShape(), options);
  checkFactory(options.factory, what, 'factory');
  const drainsFirst = factoriesWithin(options.factory).some(
    (factory) => (factory.replacement ?? resolved.replacement) === 'drain-first',
  );
  if (resolved.keepLastGood && drainsFirst) {
    throw unexpected(
      `${what}: keepLastGood`,
      "false with replacement 'drain-first', which disposes of the last good instance first",
      'true',
    );
  }
  return Object.freeze({
    ...resolved,
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
 * The bound that one call asks for. `'strict'` is `-Infinity`.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export function resolveFreshness(asked: Freshness): number {
  return maxStale(isFreshness(asked) ? asked : check('use', freshness(), asked, 'freshness'));
}

/** @throws ConnectionError `INVALID_OPTIONS` when a call got something other than an object of options */
export function checkCall(what: 'use' | 'close', options: unknown): void {
  if (!isObject(options) || Array.isArray(options)) throw unexpected(what, 'an object of options', describe(options));
}

/**
 * A signal is known by its shape, because it may be another realm's.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export function checkSignal(signal: AbortSignal): void {
  if (!hasMethods(signal, 'addEventListener', 'removeEventListener'))
    throw unexpected('use: signal', 'an AbortSignal', describe(signal));
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
