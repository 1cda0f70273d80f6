import { describe, expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore, isConnectionError } from 'hydrant';
import { ManualClock } from 'hydrant/testing';

const store = new MemoryStore([{ id: 'a', token: 't' }]);
const factory = { create: () => ({}) };
const orNever = (least: 0 | 1): string => `milliseconds from ${least} to ${2 ** 31 - 1}, or Infinity`;
const withRow = (): ConnectionRegistry<any, object> => new ConnectionRegistry({ store, factory, clock: new ManualClock() });

describe('the options of calls are checked', () => {
  const CALLS: readonly { readonly what: string; readonly options: unknown; readonly message: string }[] = [
    { what: 'no object', options: 'fast', message: 'use: expected an object of options, got a string' },
    { what: 'null', options: null, message: 'use: expected an object of options, got null' },
    { what: 'a bare timeout', options: 500, message: 'use: expected an object of options, got 500' },
    { what: 'timeoutMs: NaN', options: { timeoutMs: Number.NaN }, message: `use: timeoutMs: expected ${orNever(0)}, got NaN` },
    {
      what: 'timeoutMs: 2^31',
      options: { timeoutMs: 2 ** 31 },
      message: `use: timeoutMs: expected ${orNever(0)}, got 2147483648`,
    },
    { what: 'timeoutMs: -1', options: { timeoutMs: -1 }, message: `use: timeoutMs: expected ${orNever(0)}, got -1` },
    { what: 'timeoutMs: a string', options: { timeoutMs: '5s' }, message: `use: timeoutMs: expected ${orNever(0)}, got "5s"` },
    { what: 'timeoutMs: null', options: { timeoutMs: null }, message: `use: timeoutMs: expected ${orNever(0)}, got null` },
    {
      what: 'freshness: a word',
      options: { freshness: 'stale' },
      message: `use: freshness: expected 'strict' or { maxStaleMs } with ${orNever(0)}, got "stale"`,
    },
    {
      what: 'freshness: a number',
      options: { freshness: 5 },
      message: `use: freshness: expected 'strict' or { maxStaleMs } with ${orNever(0)}, got 5`,
    },
    {
      what: 'freshness: null',
      options: { freshness: null },
      message: `use: freshness: expected 'strict' or { maxStaleMs } with ${orNever(0)}, got null`,
    },
    {
      what: 'signal: a controller',
      options: { signal: new AbortController() },
      message: 'use: signal: expected an AbortSignal, got an object',
    },
    { what: 'signal: null', options: { signal: null }, message: 'use: signal: expected an AbortSignal, got null' },
    {
      what: 'signal: half of one',
      options: { signal: { addEventListener() {} } },
      message: 'use: signal: expected an AbortSignal, got an object',
    },
    {
      what: 'signal: the other half',
      options: { signal: { removeEventListener() {} } },
      message: 'use: signal: expected an AbortSignal, got an object',
    },
    { what: 'signal: a number', options: { signal: 5 }, message: 'use: signal: expected an AbortSignal, got 5' },
  ];

  test.each(CALLS)('use and acquire, $what', async ({ options, message }) => {
    const registry = withRow();
    for (const call of [() => registry.use('a', () => 1, options as never), () => registry.acquire('a', options as never)]) {
      const error: unknown = await call().catch((thrown: unknown) => thrown);
      expect(isConnectionError(error, 'INVALID_OPTIONS') && error.message).toBe(message);
    }
    expect(registry.snapshot().connections).toEqual([]);
    expect(await registry.close()).toEqual({ abandoned: [] });
  });

  test('correct options are accepted', async () => {
    const registry = withRow();
    const right = [
      {},
      undefined,
      { timeoutMs: Infinity },
      { timeoutMs: undefined, signal: undefined, freshness: undefined },
      { signal: new AbortController().signal },
      { freshness: { maxStaleMs: Infinity } },
      { signal: { aborted: false, addEventListener() {}, removeEventListener() {} } as unknown as AbortSignal },
    ];
    for (const options of right) expect(await registry.use('a', () => 1, options)).toBe(1);
  });

  test.each([
    { options: 'fast', message: 'close: expected an object of options, got a string' },
    { options: null, message: 'close: expected an object of options, got null' },
    { options: 5_000, message: 'close: expected an object of options, got 5000' },
    { options: { drainTimeoutMs: Number.NaN }, message: `close: drainTimeoutMs: expected ${orNever(0)}, got NaN` },
    { options: { drainTimeoutMs: '5s' }, message: `close: drainTimeoutMs: expected ${orNever(0)}, got "5s"` },
    { options: { drainTimeoutMs: 2 ** 31 }, message: `close: drainTimeoutMs: expected ${orNever(0)}, got 2147483648` },
    { options: { drainTimeoutMs: -5 }, message: `close: drainTimeoutMs: expected ${orNever(0)}, got -5` },
  ])('close($options) leaves the registry open', async ({ options, message }) => {
    const registry = withRow();
    const error: unknown = await registry.close(options as never).catch((thrown: unknown) => thrown);
    expect(isConnectionError(error, 'INVALID_OPTIONS') && error.message).toBe(message);
    expect(registry.state).toBe('open');
    expect(await registry.use('a', () => 1)).toBe(1);
    await registry.close();
  });

  test('without options close waits 20 s, less than Kubernetes does', async () => {
    const clock = new ManualClock();
    const registry = new ConnectionRegistry({ store, factory, clock });
    await registry.acquire('a');
    const closed = registry.close();
    await clock.advance(19_999);
    expect(registry.state).toBe('closing');
    await clock.advance(1);
    expect(await closed).toEqual({ abandoned: [{ id: 'a', leases: 1 }] });
  });
});
