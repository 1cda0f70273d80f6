import { describe, expect, test } from 'vitest';
import { Harness } from './support/harness.js';

const post = (): Request => new Request('http://gateway.test/', { method: 'POST', body: '{}' });
const errorOf = (code: string, connectionId: string | null = 'a'): unknown =>
  expect.objectContaining({ name: 'ConnectionError', code, connectionId: connectionId ?? undefined });
const caught = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

describe('the payload of each event', () => {
  test('hydrated: how long it took, and after how many failures', async () => {
    const h = new Harness();
    h.rows.put('a');
    const [first, second] = [h.holdCreate(0), h.holdCreate(1)];
    const failing = caught(h.registry.use('a', () => {}));
    await h.settle();
    first.reject(new Error('vendor down'));
    await failing;
    expect(h.eventsOf('hydrated')).toEqual([]);
    await h.clock.advance(60_000);
    const use = h.registry.use('a', () => {});
    await h.clock.advance(40);
    second.resolve();
    await use;
    expect(h.eventsOf('hydrated')).toEqual([{ id: 'a', version: 'v1', durationMs: 40, afterFailures: 1 }]);
  });

  test('hydrationFailed: the error its callers got, how often in a row, and when the next attempt may be', async () => {
    const h = new Harness({ factory: { create: async () => { throw new Error('vendor down'); } } });
    h.rows.put('a');
    const error = await caught(h.registry.use('a', () => {}));
    await h.clock.advance(60_000);
    await caught(h.registry.use('a', () => {}));
    const [one, two] = h.eventsOf('hydrationFailed');
    expect(one).toEqual({
      id: 'a',
      version: 'v1',
      error,
      failures: 1,
      retryAfterMs: (error as { retryAfterMs: number }).retryAfterMs,
    });
    expect(one.error).toBe(error);
    expect(one.retryAfterMs).toBeLessThanOrEqual(500);
    expect(two).toEqual({
      id: 'a',
      version: 'v1',
      error: errorOf('HYDRATION_FAILED'),
      failures: 2,
      retryAfterMs: expect.any(Number),
    });
    expect(Object.keys(two)).toHaveLength(5);
  });

  test('disposed: why, and how many leases were abandoned', async () => {
    const h = new Harness({ drainTimeoutMs: 1_000 });
    h.rows.put('a');
    await h.registry.acquire('a');
    h.registry.invalidate('a');
    expect(h.eventsOf('disposed')).toEqual([]);
    await h.clock.advance(1_000);
    expect(h.eventsOf('disposed')).toEqual([{ id: 'a', version: 'v1', reason: 'invalidated', abandonedLeases: 1 }]);
    await h.registry.use('a', () => {});
    await h.clock.advance(600_000);
    expect(h.eventsOf('disposed').at(-1)).toEqual({ id: 'a', version: 'v1', reason: 'idle', abandonedLeases: 0 });
  });

  test('disposeFailed: what dispose or a clean-up threw, and that it took too long', async () => {
    const [inDispose, inCleanUp] = [new Error('dispose'), new Error('clean-up')];
    const h = new Harness({ factory: {
      create: (row, { onDispose }) => { onDispose(() => { throw inCleanUp; }); return { name: '', row, disposed: undefined }; },
      dispose: async () => { throw inDispose; },
    } });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.registry.invalidate('a');
    await h.settle();
    expect(h.eventsOf('disposeFailed')).toEqual([
      { id: 'a', version: 'v1', error: inDispose },
      { id: 'a', version: 'v1', error: inCleanUp },
    ]);
    expect(h.eventsOf('disposed')).toHaveLength(1);

    const hanging = new Harness();
    hanging.rows.put('a');
    hanging.holdDispose();
    await hanging.registry.use('a', () => {});
    hanging.registry.invalidate('a');
    await hanging.clock.advance(10_000);
    expect(hanging.eventsOf('disposeFailed')).toEqual([
      {
        id: 'a',
        version: 'v1',
        error: new Error('dispose has not settled within disposeTimeoutMs (10000 ms) and is no longer waited for'),
      },
    ]);
  });

  test('retired: by the instance, by a lease, and before create had returned', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', (_instance, lease) => lease.retire('found dead'));
    expect(h.eventsOf('retired')).toEqual([{ id: 'a', version: 'v1', cause: 'found dead' }]);
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.contexts.at(-1)?.retire('socket closed');
    await h.settle();
    expect(h.eventsOf('retired').at(-1)).toEqual({ id: 'a', version: 'v2', cause: 'socket closed' });

    const early = new Harness({
      factory: {
        create: (row, { retire }) => {
          retire('at once');
          return { name: '', row, disposed: undefined };
        },
      },
    });
    early.rows.put('a');
    await caught(early.registry.use('a', () => {}));
    expect(early.eventsOf('retired')).toEqual([{ id: 'a', version: 'v1', cause: 'at once' }]);
    expect(early.eventsOf('hydrated')).toEqual([]);
  });

  test('webhookFailed: every answer that is a failure, and failures after the acknowledgement', async () => {
    const h = new Harness({
      factory: {
        authenticate: (request) => request.headers.get('x-good') === '1',
        handleWebhook: async (_instance, _request, { waitUntil }) => {
          waitUntil(Promise.reject(new Error('later')));
          return new Response();
        },
      },
    });
    h.rows.put('a');
    await h.registry.handleWebhook('a', post());
    expect(h.eventsOf('webhookFailed')).toEqual([{ id: 'a', error: errorOf('UNAUTHENTICATED'), acknowledged: false }]);
    await h.registry.handleWebhook('b', post());
    expect(h.eventsOf('webhookFailed').at(-1)).toEqual({
      id: 'b',
      error: errorOf('CONNECTION_NOT_FOUND', 'b'),
      acknowledged: false,
    });
    await h.registry.handleWebhook('a/b', post());
    expect(h.eventsOf('webhookFailed').at(-1)).toEqual({
      id: 'a/b',
      error: errorOf('INVALID_CONNECTION_ID', null),
      acknowledged: false,
    });
    await h.registry.handleWebhook('a', new Request(post(), { headers: { 'x-good': '1' } }));
    await h.settle();
    expect(h.eventsOf('webhookFailed').at(-1)).toEqual({ id: 'a', error: errorOf('HANDLER_FAILED'), acknowledged: true });
    expect(h.eventsOf('webhookFailed').at(-1).error.cause).toEqual(new Error('later'));
  });

  test('storeFailed: once per query, whatever its size', async () => {
    const h = new Harness();
    h.rows.put('a');
    h.rows.failure = new Error('down');
    await Promise.all([caught(h.registry.use('a', () => {})), caught(h.registry.use('a', () => {}))]);
    expect(h.eventsOf('storeFailed')).toEqual([{ error: h.rows.failure }]);
  });

  test('storeFailed: a subscription that cannot be opened', async () => {
    const failure = new Error('no LISTEN through this pooler');
    const h = new Harness({ store: { get: async () => undefined, watch: async () => { throw failure; } } });
    await h.settle();
    expect(h.eventsOf('storeFailed')).toEqual([{ error: failure }]);
  });

  test('thrashing: more evictions in a minute than maxInstances, once per minute', async () => {
    const h = new Harness({ maxInstances: 2 });
    const useThrough = async (from: number, to: number): Promise<void> => {
      for (let index = from; index < to; index += 1) {
        h.rows.put(`c${index}`);
        await h.registry.use(`c${index}`, () => {});
      }
    };
    await useThrough(0, 4);
    expect(h.eventsOf('thrashing')).toEqual([]);
    await useThrough(4, 20);
    expect(h.eventsOf('thrashing')).toEqual([{ maxInstances: 2, evictionsPerMinute: 3 }]);
    await h.clock.advance(60_000);
    await useThrough(20, 40);
    expect(h.eventsOf('thrashing')).toHaveLength(2);
  });

  test('versions are strings, so that a payload is plain JSON', async () => {
    const h = new Harness({ store: { get: async (id) => ({ id, status: 'active', version: 12n as never, token: 't' }) } });
    await h.registry.use('a', () => {});
    h.registry.invalidate('a');
    await h.settle();
    for (const { payload } of h.events) expect(JSON.parse(JSON.stringify(payload)).version).toBe('12');
    expect(h.events.map(({ event }) => event)).toEqual(['hydrated', 'disposed']);
  });
});
