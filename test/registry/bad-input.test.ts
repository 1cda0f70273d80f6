import { describe, expect, test } from 'vitest';
import { ConnectionRegistry, isConnectionError, type ConnectionErrorCode, type ConnectionStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { Harness, type Row } from '../support/harness.js';

const post = (): Request => new Request('http://gateway.test/', { method: 'POST', body: '{}' });

async function failureOf(work: Promise<unknown>): Promise<{ code: ConnectionErrorCode; message: string }> {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  if (!isConnectionError(error)) throw new Error(`expected a ConnectionError, got ${String(error)}`);
  return { code: error.code, message: error.message };
}

/** A registry over a store that answers whatever it is told to. */
function over(store: Partial<Record<keyof ConnectionStore, unknown>>, tuning: object = {}) {
  const clock = new ManualClock();
  const created: string[] = [];
  const registry = new ConnectionRegistry<Row, { token: string }>({
    store: store as never, clock, ...tuning,
    factory: {
      create: (row) => { created.push(row.id); return { token: row.token }; },
      authenticate: () => true,
      handleWebhook: (instance) => new Response(instance.token),
    },
  });
  registry.on('webhookFailed', () => {});
  registry.on('storeFailed', () => {});
  return { registry, clock, created };
}

describe('invalid ids', () => {
  const REFUSED: [what: string, id: unknown][] = [
    ['empty', ''], ['a NUL', 'a\0b'], ['10 kB', 'x'.repeat(10_240)], ['1 025 characters', 'x'.repeat(1_025)],
    ['undefined', undefined], ['null', null], ['a number', 5], ['an object', {}], ['an array', ['a']], ['a symbol', Symbol('a')],
    ['an object without a prototype', Object.create(null)], ['an object that throws', { toString() { throw new Error('no'); } }],
  ];

  test.each(REFUSED)(
    '%s: use and acquire refuse it, tryAcquire and invalidate ignore it, and nothing is read',
    async (_what, id) => {
      const h = new Harness();
      expect((await failureOf(h.registry.use(id as string, () => 1))).code).toBe('INVALID_CONNECTION_ID');
      const { code, message } = await failureOf(h.registry.acquire(id as string));
      expect(code).toBe('INVALID_CONNECTION_ID');
      expect(message.length).toBeLessThan(120);
      expect(h.registry.tryAcquire(id as string)).toBeUndefined();
      expect(() => h.registry.invalidate(id as string)).not.toThrow();
      expect(h.rows.reads).toEqual([]);
      expect(await h.registry.close()).toEqual({ abandoned: [] });
    },
  );

  test.each<[unknown, string]>([
    ['x'.repeat(1_025), '1025'],
    ['', '0'],
    [5, 'number'],
    [undefined, 'undefined'],
  ])('the error names the length or the type, and does not repeat the id: %#', async (id, told) => {
    const { message } = await failureOf(new Harness().registry.use(id as string, () => 1));
    expect(message.split(', got ')[1]).toContain(told);
  });

  test.each([
    ...REFUSED,
    ['a slash', 'a/b'],
    ['unicode', '日本'],
    ['white space', ' a'],
    ['129 characters', 'x'.repeat(129)],
    ['a line feed', 'a\n'],
  ])('%s: a webhook for it is answered 404 without a read', async (_what, id) => {
    const { registry, created } = over({
      get: () => {
        throw new Error('read');
      },
    });
    const response = await registry.handleWebhook(id as string, post());
    expect([response.status, await response.json()]).toEqual([
      404,
      { type: 'about:blank', title: 'Not Found', status: 404, code: 'INVALID_CONNECTION_ID' },
    ]);
    expect(created).toEqual([]);
  });

  test('the webhook pattern may match more than valid ids', async () => {
    const { registry } = over({ get: async () => undefined }, { webhook: { connectionId: /^/ } });
    for (const [id, code] of [
      ['', 'INVALID_CONNECTION_ID'],
      ['a\0', 'INVALID_CONNECTION_ID'],
      ['x'.repeat(2_000), 'INVALID_CONNECTION_ID'],
      ['a/b', 'CONNECTION_NOT_FOUND'],
    ]) {
      const response = await registry.handleWebhook(id as string, post());
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([404, code]);
    }
  });

  test.each([
    'a/b',
    '../../etc/passwd',
    '日本語',
    '🙂',
    '\ud800',
    'é',
    "'; drop table",
    '__proto__',
    'constructor',
    ' ',
    'x'.repeat(1_024),
  ])('%s is a valid id', async (id) => {
    const h = new Harness();
    expect((await failureOf(h.registry.use(id, () => 1))).code).toBe('CONNECTION_NOT_FOUND');
    h.registry.invalidate(id);
    h.rows.put(id);
    expect(await h.registry.use(id, ({ row }) => row.id)).toBe(id);
    expect(h.registry.snapshot().connections.map((one) => one.id)).toEqual([id]);
    h.registry.invalidate(id);
    await h.settle();
    expect(h.log.at(-1)).toBe(`dispose ${id}@v1 invalidated`);
  });
});

describe('an invalid row is INVALID_RECORD for its id alone', () => {
  const good = { id: 'a', status: 'active', version: 'v1', token: 't' };
  const INVALID: [what: string, row: unknown, message: string][] = [
    ['a string', 'row', 'is not a record: expected an object, got string'],
    ['a number', 5, 'is not a record: expected an object, got number'],
    ['false', false, 'is not a record: expected an object, got boolean'],
    ['an array', [], 'belongs to another connection: its id is not the requested one'],
    ["another id's", { ...good, id: 'b' }, 'belongs to another connection: its id is not the requested one'],
    ['without id', { ...good, id: undefined }, 'belongs to another connection: its id is not the requested one'],
    [
      'an id of another type',
      { ...good, id: ['a'] },
      'belongs to another connection: its id is not the requested one',
    ],
    ['without version', { ...good, version: undefined }, 'has no version that is a string, number or bigint'],
    ['version null', { ...good, version: null }, 'has no version that is a string, number or bigint'],
    ['version empty', { ...good, version: '' }, 'has no version that is a string, number or bigint'],
    ['version NaN', { ...good, version: Number.NaN }, 'has no version that is a string, number or bigint'],
    ['version a Date', { ...good, version: new Date() }, 'has no version that is a string, number or bigint'],
    ['without status', { ...good, status: undefined }, "has no status that is 'active' or 'stopped'"],
    ['a status of its own', { ...good, status: 'ACTIVE' }, "has no status that is 'active' or 'stopped'"],
    [
      'a getter that throws',
      {
        ...good,
        get version() {
          throw new Error('lazy');
        },
      },
      'could not be read',
    ],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          get(_row, key) {
            if (key === 'then') return undefined;
            throw new Error('revoked');
          },
        },
      ),
      'could not be read',
    ],
  ];

  test.each(INVALID)('%s', async (_what, row, what) => {
    const { registry, created } = over({ get: async (id: string) => id === 'a' ? row : { ...good, id } });
    const [bad, fine] = await Promise.allSettled([registry.use('a', () => 1), registry.use('b', (instance) => instance.token)]);
    expect(fine).toEqual({ status: 'fulfilled', value: 't' });
    expect(bad).toMatchObject({
      status: 'rejected',
      reason: { code: 'INVALID_RECORD', connectionId: 'a', retryable: false, message: `The row of connection 'a' ${what}` },
    });
    expect(created).toEqual(['b']);
    const response = await registry.handleWebhook('a', post());
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([500, 'INVALID_RECORD']);
  });

  test.each([null, undefined])('%s is no row at all', async (row) => {
    const { registry } = over({ get: async () => row });
    expect((await failureOf(registry.use('a', () => 1))).code).toBe('CONNECTION_NOT_FOUND');
  });

  test.each(['v1', '0', 0, 1.5, -1, Infinity, 0n, 2n ** 70n])('%s is a valid version', async (version) => {
    const { registry } = over({ get: async () => ({ ...good, version }) });
    expect(await registry.use('a', (instance) => instance.token)).toBe('t');
    expect(registry.snapshot().connections[0]?.version).toBe(String(version));
    await registry.use('a', () => {});
    expect(registry.snapshot().live).toBe(1);
  });

  test('an invalid row with a new version ends the instance; one without a version keeps it, but serves no use', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.rows.set('a', { id: 'a', version: '', status: 'active', token: 't' });
    expect((await failureOf(h.registry.use('a', () => 1))).code).toBe('INVALID_RECORD');
    expect(h.registry.snapshot().live).toBe(1);
    h.rows.rows.set('a', { id: 'a', version: 'v9', status: 'paused' as 'active', token: 't' });
    expect((await failureOf(h.registry.use('a', () => 1))).code).toBe('INVALID_RECORD');
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 replaced']);
    h.rows.put('a');
    expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v2');
  });

  test('a store says so itself by rejecting with, or putting into the map, an INVALID_RECORD', async () => {
    const { ConnectionError } = await import('hydrant');
    const refusal = new ConnectionError('INVALID_RECORD', 'mapRow threw', { connectionId: 'a' });
    const { registry } = over({
      get: async () => { throw refusal; },
      getMany: async (ids: readonly string[]) => new Map(ids.map((id) => [id, id === 'a' ? refusal : { ...good, id }])),
    });
    expect(await failureOf(registry.use('a', () => 1))).toEqual({ code: 'INVALID_RECORD', message: 'mapRow threw' });
    const [bad, fine] = await Promise.allSettled([registry.use('a', () => 1), registry.use('b', () => 1)]);
    expect([bad.status === 'rejected' && bad.reason, fine.status]).toEqual([refusal, 'fulfilled']);
  });
});

const row = (id: string): Row => ({ id, status: 'active', version: 'v1', token: 't' });
const thrower = (): never => { throw new Error('down'); };

describe('a store that does not keep its contract is STORE_UNAVAILABLE, and nothing is lost', () => {
  const SINGLE: [what: string, get: () => unknown][] = [
    [
      'throws synchronously',
      () => {
        throw new Error('down');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('down');
      },
    ],
    ['rejects with nothing', () => Promise.reject(undefined)],
    [
      'rejects with another ConnectionError code',
      async () => {
        const { ConnectionError } = await import('hydrant');
        throw new ConnectionError('CONNECTION_NOT_FOUND', 'x');
      },
    ],
  ];

  test.each(SINGLE)('get %s', async (_what, get) => {
    let broken = true;
    const { registry, created, clock } = over({ get: (id: string) => broken ? get() : row(id) });
    expect(await failureOf(registry.use('a', () => 1))).toEqual({
      code: 'STORE_UNAVAILABLE',
      message: "The row of connection 'a' could not be read",
    });
    const response = await registry.handleWebhook('a', post());
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
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

  const BATCHES: [what: string, answer: unknown][] = [
    ['undefined', undefined], ['null', null], ['an array', []], ['a plain object', {}], ['a string', 'rows'],
    ['a map that throws', { get() { throw new Error('lazy'); } }],
  ];

  test.each(BATCHES)('getMany resolves %s', async (_what, answer) => {
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
    expect(await registry.use('a', () => 1)).toBe(1); // one id is read with get
    expect((await failureOf(registry.use('a', () => 1))).code).toBe('STORE_UNAVAILABLE'); // a live one with getVersions
    expect(registry.snapshot().live).toBe(1);
  });

  test.each(BATCHES)('getVersions resolves %s', async (_what, answer) => {
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
      expect([reads, created]).toEqual([2, ['a']]);
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
