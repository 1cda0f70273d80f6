import { afterEach, describe, expect, test, vi } from 'vitest';
import { echo, post, seen, webhookHarness } from '../support/webhooks.js';

afterEach(() => { vi.restoreAllMocks(); });

describe('G11 webhook honesty', () => {
  test('a cold webhook is hydrated and handled, a stopped connection is 404, a failed hydrate 503 with Retry-After', async () => {
    // The bug of lobu-ai/lobu PR 1098: a Map answers 404.
    const warmed = new Map<string, (request: Request) => Response>();
    const naive = (id: string, request: Request): Response => warmed.get(id)?.(request) ?? new Response(null, { status: 404 });
    expect(naive('a', post()).status).toBe(404);

    const h = webhookHarness();
    h.rows.put('a');
    expect(await seen(await h.registry.handleWebhook('a', post()))).toEqual({ status: 200, body: 'a@v1#0: hello' });

    h.rows.stop('a');
    expect(await seen(await h.registry.handleWebhook('a', post()))).toEqual({ status: 404, code: 'CONNECTION_STOPPED' });
    await h.settle();
    expect(h.creates).toBe(1);
    expect(h.registry.snapshot().live).toBe(0);

    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    const failing = webhookHarness({
      failureBackoff: { initialMs: 4_000, maxMs: 60_000 },
      factory: {
        create: async () => {
          throw new Error('xoxb-secret refused');
        },
      },
    });
    failing.rows.put('a');
    expect(await seen(await failing.registry.handleWebhook('a', post()))).toEqual({
      status: 503,
      code: 'HYDRATION_FAILED',
      retryAfter: '4',
    });
    expect(await seen(await failing.registry.handleWebhook('a', post()))).toEqual({
      status: 503,
      code: 'BACKING_OFF',
      retryAfter: '4',
    });
  });

  test.each(['', 'a b', 'a/b', '../a', 'a\0', 'ä', 'x'.repeat(129), 'x'.repeat(10_000)])(
    'a malformed id is answered 404 before the store is read: %j',
    async (id) => {
      const h = webhookHarness();
      expect(await seen(await h.registry.handleWebhook(id, post()))).toEqual({ status: 404, code: 'INVALID_CONNECTION_ID' });
      expect(h.rows.reads).toEqual([]);
    },
  );

  test('an unknown id, a stopped connection and a factory without a handler are answered 404', async () => {
    const h = webhookHarness();
    expect(await seen(await h.registry.handleWebhook('nobody', post()))).toEqual({ status: 404, code: 'CONNECTION_NOT_FOUND' });
    const without = webhookHarness({ factory: { handleWebhook: undefined as never, authenticate: undefined as never } });
    without.rows.put('a');
    expect(await seen(await without.registry.handleWebhook('a', post()))).toEqual({ status: 404, code: 'NO_WEBHOOK_HANDLER' });
  });

  test('an unreachable store is answered 503, a row that does not parse 500, a handler that throws 500', async () => {
    const h = webhookHarness();
    h.rows.failure = new Error('down');
    expect(await seen(await h.registry.handleWebhook('a', post()))).toEqual({
      status: 503,
      code: 'STORE_UNAVAILABLE',
      retryAfter: '1',
    });
    h.rows.failure = undefined;
    h.rows.put('a', { status: 'paused' as never });
    expect(await seen(await h.registry.handleWebhook('a', post()))).toEqual({ status: 500, code: 'INVALID_RECORD' });
    const throwing = webhookHarness({ factory: { handleWebhook: () => { throw new Error('the token is xoxb-1'); } } });
    throwing.rows.put('a');
    const response = await throwing.registry.handleWebhook('a', post());
    expect(response.status).toBe(500);
    expect(await response.text()).toBe(
      '{"type":"about:blank","title":"Internal Server Error","status":500,"code":"HANDLER_FAILED"}',
    );
    expect(throwing.registry.snapshot()).toMatchObject({ idle: 1, leased: 0 });
  });

  test('a ConnectionError that the handler throws is a failure of the handler, not of the connection', async () => {
    const h = webhookHarness({
      factory: {
        handleWebhook: async (instance, request) => {
          await h.registry.use('another', () => {});
          return echo(instance, request);
        },
      },
    });
    h.rows.put('a');
    expect(await seen(await h.registry.handleWebhook('a', post()))).toEqual({ status: 500, code: 'HANDLER_FAILED' });
  });

  test.each([undefined, null, {}, 'ok', Response.error()])(
    'a handler that does not resolve a usable Response is answered 500: %s',
    async (result) => {
      const h = webhookHarness({ factory: { handleWebhook: () => result as never } });
      h.rows.put('a');
      expect(await seen(await h.registry.handleWebhook('a', post()))).toEqual({ status: 500, code: 'HANDLER_FAILED' });
    },
  );

  test('an overloaded, late or closing registry answers 503', async () => {
    const h = webhookHarness({ maxConcurrentHydrations: 1, maxQueuedHydrations: 0, acquireTimeoutMs: 1_000 });
    h.rows.put('a');
    h.rows.put('b');
    const gate = h.holdCreate();
    const slow = h.registry.handleWebhook('a', post());
    await h.settle();
    expect(await seen(await h.registry.handleWebhook('b', post()))).toEqual({ status: 503, code: 'OVERLOADED', retryAfter: '1' });
    await h.clock.advance(1_000);
    expect(await seen(await slow)).toEqual({ status: 503, code: 'ACQUIRE_TIMEOUT', retryAfter: '1' });
    gate.resolve();
    await h.settle();
    expect(h.registry.snapshot()).toMatchObject({ idle: 1 });
    void h.registry.close();
    expect(await seen(await h.registry.handleWebhook('a', post()))).toEqual({
      status: 503,
      code: 'REGISTRY_CLOSED',
      retryAfter: '1',
    });
  });

  test('an authenticate that hangs is given up after acquireTimeoutMs', async () => {
    let aborted = false;
    const hanging = webhookHarness({
      acquireTimeoutMs: 1_000,
      factory: {
        authenticate: (_, { signal }) => {
          signal.addEventListener('abort', () => {
            aborted = true;
          });
          return new Promise(() => {});
        },
      },
    });
    hanging.rows.put('a');
    const second = hanging.registry.handleWebhook('a', post());
    await hanging.clock.advance(1_000);
    expect((await second).status).toBe(503);
    expect(aborted).toBe(true);
  });

  test("a client's disconnect reaches the handler's request and never aborts a hydrate", async () => {
    let signal: AbortSignal | undefined;
    const h = webhookHarness({
      factory: {
        handleWebhook: async (instance, request) => {
          signal = request.signal;
          return echo(instance, request);
        },
      },
    });
    h.rows.put('a');
    const gate = h.holdCreate();
    const client = new AbortController();
    const response = h.registry.handleWebhook('a', post('hello', { signal: client.signal }));
    await h.settle();
    client.abort();
    expect(h.contexts[0]?.signal.aborted).toBe(false);
    gate.resolve();
    expect((await response).status).toBe(200);
    expect(signal?.aborted).toBe(true);
  });

  test('handleWebhook can be destructured, and passes work to the waitUntil of the platform', async () => {
    const h = webhookHarness({
      factory: {
        handleWebhook: (_, __, { waitUntil }) => {
          waitUntil(Promise.resolve());
          return new Response('ok');
        },
      },
    });
    h.rows.put('a');
    const { handleWebhook } = h.registry;
    const told: Promise<unknown>[] = [];
    expect((await handleWebhook('a', post(), { waitUntil: (work) => { told.push(work); } })).status).toBe(200);
    expect(told).toHaveLength(1);
  });
});
