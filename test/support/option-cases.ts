import { MemoryStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';

const MAX_TIMER_MS = 2 ** 31 - 1;
const store = new MemoryStore([{ id: 'a', token: 't' }]);

/** A wrong value, and how the message shows it. */
type Wrong = readonly [value: unknown, got: string];

/** Values that no numeric option accepts. */
const NOT_NUMBERS: Wrong[] = [
  ['1000', '"1000"'],
  [null, 'null'],
  [true, 'true'],
  [10n, '10n'],
  [{}, 'an object'],
  [[1], 'an array'],
  [() => 1, 'a function'],
  [Symbol('s'), 'a symbol'],
  [Number.NaN, 'NaN'],
  [-1, '-1'],
  [-Infinity, '-Infinity'],
];
const BEYOND_TIMERS: Wrong[] = [[2 ** 31, '2147483648']];
const NEVER: Wrong[] = [[Infinity, 'Infinity']];
const ZERO: Wrong[] = [[0, '0']];
const FRACTION: Wrong[] = [[1.5, '1.5'], [2 ** 53, '9007199254740992']];
const NOT_FUNCTIONS: Wrong[] = [['x', 'a string'], [5, '5'], [{}, 'an object'], [null, 'null'], [true, 'true']];
const NOT_OBJECTS: Wrong[] = [['x', 'a string'], [5, '5'], [null, 'null'], [true, 'true'], [() => 1, 'a function']];

const timer = (least: 0 | 1): string => `milliseconds from ${least} to ${MAX_TIMER_MS}`;
const orNever = (least: 0 | 1): string => `${timer(least)}, or Infinity`;

/** Every option: the expectation in the message, wrong values, and right values at its bounds. */
export const OPTIONS: Record<string, { expected: string; wrong: Wrong[]; right: unknown[] }> = {
  freshness: {
    expected: `'strict' or { maxStaleMs } with ${orNever(0)}`,
    wrong: [
      ['fresh', '"fresh"'],
      [1000, '1000'],
      [null, 'null'],
      [{}, 'an object'],
      [{ maxStaleMs: Number.NaN }, 'an object'],
      [{ maxStaleMs: -1 }, 'an object'],
      [{ maxStaleMs: '5' }, 'an object'],
      [{ maxStaleMs: 2 ** 31 }, 'an object'],
    ],
    right: ['strict', { maxStaleMs: 0 }, { maxStaleMs: MAX_TIMER_MS }, { maxStaleMs: Infinity }],
  },
  staleIfErrorMs: { expected: orNever(0), wrong: [...NOT_NUMBERS, ...BEYOND_TIMERS], right: [0, MAX_TIMER_MS, Infinity] },
  storeTimeoutMs: {
    expected: orNever(1),
    wrong: [...NOT_NUMBERS, ...BEYOND_TIMERS, ...ZERO],
    right: [1, MAX_TIMER_MS, Infinity],
  },
  acquireTimeoutMs: {
    expected: orNever(1),
    wrong: [...NOT_NUMBERS, ...BEYOND_TIMERS, ...ZERO],
    right: [1, MAX_TIMER_MS, Infinity],
  },
  maxInstances: {
    expected: `an integer from 1 to ${2 ** 24}, or Infinity`,
    wrong: [...NOT_NUMBERS, ...ZERO, ...FRACTION, [2 ** 24 + 1, '16777217']],
    right: [1, 2 ** 24, Infinity],
  },
  eviction: {
    expected: '"lru" or "sieve"',
    wrong: [
      ['fifo', '"fifo"'],
      [true, 'true'],
    ],
    right: ['lru', 'sieve'],
  },
  idleTimeoutMs: { expected: orNever(0), wrong: [...NOT_NUMBERS, ...BEYOND_TIMERS], right: [0, MAX_TIMER_MS, Infinity] },
  maxConcurrentHydrations: {
    expected: 'an integer of at least 1',
    wrong: [...NOT_NUMBERS, ...NEVER, ...ZERO, ...FRACTION],
    right: [1, 1_000_000],
  },
  maxQueuedHydrations: {
    expected: 'an integer of at least 0',
    wrong: [...NOT_NUMBERS, ...NEVER, ...FRACTION],
    right: [0, 1_000_000],
  },
  hydrationTimeoutMs: {
    expected: orNever(1),
    wrong: [...NOT_NUMBERS, ...BEYOND_TIMERS, ...ZERO],
    right: [1, MAX_TIMER_MS, Infinity],
  },
  disposeTimeoutMs: {
    expected: orNever(1),
    wrong: [...NOT_NUMBERS, ...BEYOND_TIMERS, ...ZERO],
    right: [1, MAX_TIMER_MS, Infinity],
  },
  drainTimeoutMs: { expected: orNever(0), wrong: [...NOT_NUMBERS, ...BEYOND_TIMERS], right: [0, MAX_TIMER_MS, Infinity] },
  sweepIntervalMs: { expected: orNever(0), wrong: [...NOT_NUMBERS, ...BEYOND_TIMERS], right: [0, MAX_TIMER_MS, Infinity] },
  failureBackoff: {
    expected: '{ initialMs, maxMs }',
    wrong: [...NOT_OBJECTS, [[], 'an array']],
    right: [
      { initialMs: 0, maxMs: 0 },
      { initialMs: 1, maxMs: MAX_TIMER_MS },
    ],
  },
  notFoundTtlMs: { expected: timer(0), wrong: [...NOT_NUMBERS, ...BEYOND_TIMERS, ...NEVER], right: [0, MAX_TIMER_MS] },
  replacement: {
    expected: '"overlap" or "drain-first"',
    wrong: [
      ['drain', '"drain"'],
      [true, 'true'],
      [null, 'null'],
      [0, '0'],
    ],
    right: ['overlap', 'drain-first'],
  },
  keepLastGood: {
    expected: 'true or false',
    wrong: [
      ['yes', '"yes"'],
      [1, '1'],
      [null, 'null'],
      [{}, 'an object'],
    ],
    right: [true, false],
  },
  webhook: {
    expected: '{ connectionId, maxBodyBytes, maxUnauthenticated, respondToFailure }',
    wrong: [...NOT_OBJECTS, [[], 'an array']],
    right: [{}],
  },
  clock: {
    expected: 'a clock: { now, monotonic, setTimeout }',
    wrong: [
      [Date, 'a function'],
      [{}, 'an object'],
      [null, 'null'],
      [{ now: Date.now, monotonic: Date.now }, 'an object'],
    ],
    right: [new ManualClock()],
  },
  around: {
    expected: 'a function (record, work) => work()',
    wrong: NOT_FUNCTIONS,
    right: [(_record: unknown, work: () => unknown) => work()],
  },
  recordSchema: {
    expected: "a Standard Schema (an object or function with '~standard')",
    wrong: [
      [{}, 'an object'],
      ['string', 'a string'],
      [null, 'null'],
      [{ '~standard': {} }, 'an object'],
      [{ parse: () => 1 }, 'an object'],
    ],
    right: [
      { '~standard': { version: 1, vendor: 'x', validate: () => ({ value: 1 }) } },
      Object.assign(() => 1, { '~standard': { version: 1, vendor: 'x', validate: () => ({}) } }),
    ],
  },
  store: {
    expected: 'a store: an object with get(id)',
    wrong: [
      [undefined, 'nothing'],
      [null, 'null'],
      [{}, 'an object'],
      [new Map([[1, 2]]).get, 'a function'],
      ['postgres://u:hunter2@db', 'a string'],
    ],
    right: [{ get: async () => undefined }],
  },
  factory: {
    expected: 'a factory: an object with create(record, context)',
    wrong: [
      [undefined, 'nothing'],
      [null, 'null'],
      [() => 1, 'a function'],
      [7, '7'],
    ],
    right: [{ create: () => 1 }],
  },
};

/** Options inside other options, by their path. */
export const NESTED: Record<string, { at: (value: unknown) => object; expected: string; wrong: Wrong[] }> = {
  'failureBackoff.initialMs': {
    at: (initialMs) => ({ failureBackoff: { initialMs, maxMs: 10 } }),
    expected: timer(0),
    wrong: [...NOT_NUMBERS, ...BEYOND_TIMERS, ...NEVER, [undefined, 'nothing']],
  },
  'failureBackoff.maxMs': {
    at: (maxMs) => ({ failureBackoff: { initialMs: 0, maxMs } }),
    expected: timer(0),
    wrong: [...NOT_NUMBERS, ...BEYOND_TIMERS, ...NEVER, [undefined, 'nothing']],
  },
  'webhook.connectionId': {
    at: (connectionId) => ({ webhook: { connectionId } }),
    expected: 'a regular expression without the flags g and y, which keep a position between calls',
    wrong: [
      [/x/g, '/x/g'],
      [/x/y, '/x/y'],
      ['x', '"x"'],
      [null, 'null'],
      [{}, 'an object'],
    ],
  },
  'webhook.maxBodyBytes': {
    at: (maxBodyBytes) => ({ webhook: { maxBodyBytes } }),
    expected: 'an integer of at least 0',
    wrong: [...NOT_NUMBERS, ...NEVER, ...FRACTION],
  },
  'webhook.maxUnauthenticated': {
    at: (maxUnauthenticated) => ({ webhook: { maxUnauthenticated } }),
    expected: 'an integer of at least 1',
    wrong: [...NOT_NUMBERS, ...NEVER, ...FRACTION, ...ZERO],
  },
  'webhook.respondToFailure': {
    at: (respondToFailure) => ({ webhook: { respondToFailure } }),
    expected: 'a function',
    wrong: NOT_FUNCTIONS,
  },
  'store.getMany': {
    at: (getMany) => ({ store: { get: store.get, getMany } }),
    expected: 'a function, or no such member',
    wrong: NOT_FUNCTIONS,
  },
  'store.getVersions': {
    at: (getVersions) => ({ store: { get: store.get, getVersions } }),
    expected: 'a function, or no such member',
    wrong: NOT_FUNCTIONS,
  },
  'store.watch': {
    at: (watch) => ({ store: { get: store.get, watch } }),
    expected: 'a function, or no such member',
    wrong: NOT_FUNCTIONS,
  },
};

/** The members of a factory. `factoryByPlatform` checks the same. */
export const FACTORY: Record<string, { expected: string; wrong: Wrong[]; with?: object }> = {
  create: { expected: 'a function (record, context) => instance', wrong: [[undefined, 'nothing'], ...NOT_FUNCTIONS] },
  dispose: { expected: 'a function', wrong: NOT_FUNCTIONS },
  secrets: { expected: 'a function', wrong: NOT_FUNCTIONS },
  handleWebhook: { expected: 'a function', wrong: NOT_FUNCTIONS, with: { authenticate: 'in-handler' } },
  authenticate: {
    expected: "'in-handler' or a function (request, { record, secrets }) => boolean | Response",
    wrong: [
      ['in handler', '"in handler"'],
      [false, 'false'],
      [null, 'null'],
      [{}, 'an object'],
    ],
    with: { handleWebhook: () => new Response() },
  },
  acknowledge: { expected: '{ afterMs, respond }', wrong: NOT_OBJECTS },
  'acknowledge.afterMs': { expected: timer(0), wrong: [...NOT_NUMBERS, ...BEYOND_TIMERS, ...NEVER, [undefined, 'nothing']] },
  'acknowledge.respond': { expected: 'a function', wrong: [...NOT_FUNCTIONS, [undefined, 'nothing']] },
  respondToFailure: { expected: 'a function', wrong: NOT_FUNCTIONS },
  replacement: {
    expected: '"overlap" or "drain-first"',
    wrong: [
      ['swap', '"swap"'],
      [null, 'null'],
      [true, 'true'],
    ],
  },
  maxConcurrentHydrations: { expected: 'an integer of at least 1', wrong: [...NOT_NUMBERS, ...NEVER, ...ZERO, ...FRACTION] },
};
