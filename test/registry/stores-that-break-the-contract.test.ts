import { describe, expect, test } from 'vitest';
import { type Row } from '../support/harness.js';
import { failureOf, over } from './support/any-store.js';

const post = (): Request => new Request('http://gateway.test/', { method: 'POST', body: '{}' });

const row = (id: string): Row => ({ id, status: 'active', version: 'v1', token: 't' });
const thrower = (): never => { throw new Error('down'); };

describe('a store that does not keep its contract is STORE_UNAVAILABLE, and nothing is lost', () => {
  const SINGLE: { what: string; get: () => unknown }[] = [
    {
      what: 'throws synchronously',
      get: () => {
        throw new Error('down');
      },
    },
    {
      what: 'rejects',
      get: async () => {
        throw new Error('down');
      },
    },
    { what: 'rejects with nothing', get: () => Promise.reject(undefined) },
    {
      what: 'rejects with another ConnectionError code',
      get: async () => {
        const { ConnectionError } = await import('hydrant');
        throw new ConnectionError('CONNECTION_NOT_FOUND', 'x');
      },
    },
  ];

  test.each(SINGLE)('get $what', async ({ get }) => {
    let broken = true;
    const { registry, created, clock } = over({ get: (id: string) => broken ? get() : row(id) });
    expect(await failureOf(registry.use('a', () => 1))).toEqual({
      code: 'STORE_UNAVAILABLE',
      message: "The row of connection 'a' could not be read",
    });
    const response = await registry.handleWebhook('a', post());
    expect({ status: response.status, retryAfter: response.headers.get('retry-after') }).toEqual({
      status: 503,
      retryAfter: '1',
    });
    broken = false;
    expect(await registry.use('a', () => 1)).toBe(1);
    expect(created).toEqual(['a']);
    await registry.close();
    expect(clock.pendingTimers).toBe(0);
  });

  test('get answers without a promise', async () => {
    const { registry } = over({ get: (id: string) => row(id) });
    expect(await registry.use('a', () => 1)).toBe(1);
  });

  test('get hangs: the use fails at storeTimeoutMs, the signal aborts, and the next use reads again', async () => {
    const signals: AbortSignal[] = [];
    let hangs = true;
    const { registry, clock } = over({
      get: (id: string, { signal }: { signal: AbortSignal }) => {
        signals.push(signal);
        return hangs ? new Promise(() => {}) : Promise.resolve(row(id));
      },
    });
    const use = failureOf(registry.use('a', () => 1));
    await clock.advance(4_999);
    expect(signals[0]?.aborted).toBe(false);
    await clock.advance(1);
    expect((await use).code).toBe('STORE_UNAVAILABLE');
    expect(signals[0]?.aborted).toBe(true);
    hangs = false;
    expect(await registry.use('a', () => 1)).toBe(1);
    await registry.close();
    expect(clock.pendingTimers).toBe(0);
  });

  const BATCHES: { what: string; answer: unknown }[] = [
    { what: 'undefined', answer: undefined },
    { what: 'null', answer: null },
    { what: 'an array', answer: [] },
    { what: 'a plain object', answer: {} },
    { what: 'a string', answer: 'rows' },
    { what: 'a map that throws', answer: { get() { throw new Error('lazy'); } } },
  ];

  test.each(BATCHES)('getMany resolves $what', async ({ answer }) => {
    let broken = true;
    const { registry, clock } = over({
      get: async (id: string) => row(id),
      getMany: async (ids: string[]) => (broken ? answer : new Map(ids.map((id) => [id, row(id)]))),
    });
    const both = (): Promise<PromiseSettledResult<number>[]> =>
      Promise.allSettled([registry.use('a', () => 1), registry.use('b', () => 1)]);
    for (const result of await both()) expect(result).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } });
    broken = false;
    for (const result of await both()) expect(result.status).toBe('fulfilled');
    await registry.close();
    expect(clock.pendingTimers).toBe(0);
  });

  test('getMany and getVersions throw synchronously', async () => {
    const { registry } = over({ get: async (id: string) => row(id), getMany: thrower, getVersions: thrower });
    for (const result of await Promise.allSettled([registry.use('a', () => 1), registry.use('b', () => 1)])) {
      expect(result).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } });
    }
    expect(await registry.use('a', () => 1), 'a cold connection is read with get').toBe(1);
    const { code } = await failureOf(registry.use('a', () => 1));
    expect(code, 'a live connection is checked with getVersions').toBe('STORE_UNAVAILABLE');
    expect(registry.snapshot().live).toBe(1);
  });

  test.each(BATCHES)('getVersions resolves $what', async ({ answer }) => {
    let broken = true;
    const { registry, clock, created } = over({
      get: async (id: string) => row(id),
      getVersions: async (ids: string[]) => (broken ? answer : new Map(ids.map((id) => [id, 'v1']))),
    });
    await registry.use('a', () => 1);
    expect((await failureOf(registry.use('a', () => 1))).code).toBe('STORE_UNAVAILABLE');
    broken = false;
    expect(await registry.use('a', () => 1)).toBe(1);
    expect(created).toEqual(['a']);
    await registry.close();
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([7, 7n, '7'])('versions are compared as strings: the row has "7", getVersions says %o', async (version) => {
    let reads = 0;
    const { registry } = over({
      get: async (id: string) => {
        reads += 1;
        return { ...row(id), version: '7' };
      },
      getVersions: async (ids: string[]) => new Map(ids.map((id) => [id, version])),
    });
    for (let uses = 0; uses < 3; uses += 1) await registry.use('a', () => {});
    expect(reads).toBe(1);
  });

  test.each([[{}], [Symbol('v')], [null], [Number.NaN], ['']])(
    'an invalid version (%o) only causes a read of the row, which decides',
    async (version) => {
      let reads = 0;
      const { registry, created } = over({
        get: async (id: string) => {
          reads += 1;
          return row(id);
        },
        getVersions: async (ids: string[]) => new Map(ids.map((id) => [id, version])),
      });
      await registry.use('a', () => {});
      expect(await registry.use('a', () => 1)).toBe(1);
      expect({ reads, created }).toEqual({ reads: 2, created: ['a'] });
    },
  );

  test('a map with more ids than requested', async () => {
    const { registry, created } = over({
      get: async (id: string) => row(id),
      getMany: async () => new Map(['a', 'b', 'c', 'd'].map((id) => [id, row(id)])),
    });
    await Promise.all([registry.use('a', () => 1), registry.use('b', () => 1)]);
    expect(created.toSorted()).toEqual(['a', 'b']);
  });

  test('watch throws, rejects, resolves nothing, or calls back with invalid values', async () => {
    const WATCHES = [
      () => { throw new Error('no'); },
      async () => { throw new Error('no'); },
      async () => undefined,
      async ({ changed }: { changed(ids: unknown): void }) => { changed(['a', '', 5, null]); return undefined; },
    ];
    for (const watch of WATCHES) {
      const { registry, clock } = over({ get: async (id: string) => row(id), watch });
      expect(await registry.use('a', () => 1)).toBe(1);
      await registry.close();
      expect(clock.pendingTimers).toBe(0);
    }
  });
});
