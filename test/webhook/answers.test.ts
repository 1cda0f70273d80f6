import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, seen, webhookHarness } from '../support/webhooks.js';

const cause = new Error('the cause');
const slow = { afterMs: 1_000, respond: () => new Response('working on it') };

describe('the answer to a delivery', () => {
  test('acknowledge counts from the arrival, gets the row, and keeps the process alive', async () => {
    const gate = deferred<Response>();
    const asked: unknown[] = [];
    const h = webhookHarness({
      sweepIntervalMs: 0,
      idleTimeoutMs: Infinity,
      factory: {
        handleWebhook: () => gate.promise,
        acknowledge: {
          afterMs: 2_000,
          respond: (_, { record }) => {
            asked.push(record);
            return new Response('ack');
          },
        },
      },
    });
    const row = h.rows.put('a');
    h.rows.hold();
    await h.clock.advance(50);
    const response = h.registry.handleWebhook('a', post());
    await h.clock.advance(500);
    h.rows.letAllGo();
    await h.settle();
    expect(h.clock).toMatchObject({ pendingTimers: 1, pendingRefTimers: 1 });
    await h.clock.advance(1_499);
    expect(asked).toEqual([]);
    await h.clock.advance(1);
    expect(asked).toEqual([row]);
    expect(await seen(await response)).toMatchObject({ body: 'ack' });
    gate.resolve(new Response());
  });

  test('a failure that is being answered is not overtaken by an acknowledgement', async () => {
    const [handled, acknowledged, responded] = [deferred<Response>(), deferred<Response>(), deferred<Response>()];
    const h = webhookHarness({
      factory: {
        handleWebhook: () => handled.promise,
        acknowledge: { afterMs: 1_000, respond: () => acknowledged.promise },
        respondToFailure: () => responded.promise,
      },
    });
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.clock.advance(1_000);
    handled.reject(cause);
    await h.settle();
    acknowledged.resolve(new Response('ack'));
    await h.settle();
    responded.resolve(new Response('the failure', { status: 502 }));
    expect(await seen(await response)).toEqual({ status: 502, body: 'the failure' });
  });

  test("the handler's response is not overtaken by an acknowledgement while it begins to stream", async () => {
    const [handled, acknowledged] = [deferred<Response>(), deferred<Response>()];
    const h = webhookHarness({
      factory: { handleWebhook: () => handled.promise, acknowledge: { afterMs: 1_000, respond: () => acknowledged.promise } },
    });
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.clock.advance(1_000);
    handled.resolve(new Response(new ReadableStream(), { status: 201 }));
    for (let hop = 0; hop < 10; hop += 1) await Promise.resolve();
    acknowledged.resolve(new Response('ack'));
    expect((await response).status).toBe(201);
  });

  test('a stream that comes after an acknowledgement is cancelled, because nothing reads it', async () => {
    const gate = deferred<Response>();
    let cancelled = false;
    const h = webhookHarness({ factory: { handleWebhook: () => gate.promise, acknowledge: slow } });
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.clock.advance(1_000);
    await response;
    gate.resolve(new Response(new ReadableStream({ cancel() { cancelled = true; } })));
    await h.settle();
    expect(cancelled).toBe(true);
    expect(h.registry.snapshot().leased).toBe(0);
  });

  test.each([
    { timeoutMs: 1_000, timers: 1 },
    { timeoutMs: Infinity, timers: 0 },
  ])('respondToFailure has acquireTimeoutMs of $timeoutMs, and leaves no timer behind', async ({ timeoutMs, timers }) => {
    const said = deferred<Response>();
    const h = webhookHarness({
      acquireTimeoutMs: timeoutMs,
      sweepIntervalMs: 0,
      factory: { authenticate: () => false, respondToFailure: () => said.promise },
    });
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.settle();
    expect(h.clock).toMatchObject({ pendingTimers: timers, pendingRefTimers: timers });
    said.resolve(new Response('no', { status: 403 }));
    expect((await response).status).toBe(403);
    await h.settle();
    expect(h.clock.pendingTimers).toBe(0);
  });

  test('respondToFailure replaces a response, and may read the request', async () => {
    const h = webhookHarness({
      factory: {
        create: async () => { throw new Error('down'); },
        respondToFailure: async (failure, request, { record, acknowledged }) =>
          new Response(`${failure.code} ${await request.text()} ${record?.id} ${acknowledged}`, { status: 200 }),
      },
    });
    h.rows.put('a');
    expect(await seen(await h.registry.handleWebhook('a', post('payload')))).toEqual({
      status: 200,
      body: 'HYDRATION_FAILED payload a false',
    });
  });

  test('webhook.respondToFailure answers if no factory is known', async () => {
    const h = webhookHarness({
      webhook: {
        respondToFailure: async (failure, request) => new Response(`${failure.code} ${await request.text()}`, { status: 410 }),
      },
    });
    expect(await seen(await h.registry.handleWebhook('nobody', post('payload')))).toEqual({
      status: 410,
      body: 'CONNECTION_NOT_FOUND payload',
    });
    h.rows.put('a');
    expect((await h.registry.handleWebhook('a', post('x', { secret: 'forged' }))).status).toBe(401);
  });

  test('the default response is sent if respondToFailure throws, resolves nothing or hangs', async () => {
    for (const respondToFailure of [() => { throw new Error('no'); }, () => undefined, () => new Promise<Response>(() => {})]) {
      const h = webhookHarness({
        acquireTimeoutMs: 1_000,
        factory: {
          create: () => {
            throw new Error('down');
          },
          respondToFailure,
        },
      });
      h.rows.put('a');
      const response = h.registry.handleWebhook('a', post());
      await h.settle();
      await h.clock.advance(1_000);
      expect(await seen(await response)).toMatchObject({ status: 503, code: 'HYDRATION_FAILED' });
      expect(h.clock.pendingRefTimers).toBe(0);
    }
  });

  test('the signal of a respondToFailure that takes too long aborts with the failure', async () => {
    let told: AbortSignal | undefined;
    const h = webhookHarness({
      acquireTimeoutMs: 1_000,
      factory: {
        authenticate: () => false,
        respondToFailure: (_, __, { signal }) => {
          told = signal;
          return new Promise(() => {});
        },
      },
    });
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.clock.advance(999);
    expect(told?.aborted).toBe(false);
    await h.clock.advance(1);
    expect(told?.reason).toBe(h.eventsOf('webhookFailed')[0].error);
    expect((await response).status).toBe(401);
  });

  test('respondToFailure does not wait for a body that does not come, and the body is cancelled', async () => {
    let cancelled = false;
    const h = webhookHarness({
      acquireTimeoutMs: 1_000,
      webhook: { respondToFailure: () => new Response('no', { status: 410 }) },
    });
    const response = h.registry.handleWebhook(
      'nobody',
      post(
        new ReadableStream({
          cancel() {
            cancelled = true;
          },
        }),
        { duplex: 'half' } as RequestInit,
      ),
    );
    await h.clock.advance(1_000);
    expect((await response).status).toBe(404);
    expect(cancelled).toBe(true);
  });

  test('caches between sender and gateway must not store a failure', async () => {
    const h = webhookHarness();
    expect((await h.registry.handleWebhook('nobody', post())).headers.get('cache-control')).toBe('no-store');
  });
});
