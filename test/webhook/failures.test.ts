import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import type { Harness } from '../support/harness.js';
import { answerThatWasRead, post, seen, webhookHarness } from '../support/webhooks.js';

const failures = (h: Harness): unknown[] =>
  h
    .eventsOf('webhookFailed')
    .map(({ id, error: { code, connectionId, cause }, acknowledged }) => ({ id, code, connectionId, cause, acknowledged }));
const cause = new Error('the cause');
const fail = (): never => { throw cause; };
const slow = { afterMs: 1_000, respond: () => new Response('working on it') };

describe('the event for a failed webhook reports', () => {
  test('an invalid id', async () => {
    const h = webhookHarness();
    expect((await h.registry.handleWebhook(undefined as never, post())).status).toBe(404);
    expect(failures(h)).toEqual([{ id: '', code: 'INVALID_CONNECTION_ID', acknowledged: false }]);
  });

  test('a registry that is closing', async () => {
    const h = webhookHarness();
    await h.registry.close();
    await h.registry.handleWebhook('a', post());
    expect(failures(h)).toEqual([{ id: 'a', code: 'REGISTRY_CLOSED', connectionId: 'a', acknowledged: false }]);
  });

  test('a factory without a handler', async () => {
    const h = webhookHarness({ factory: { handleWebhook: undefined as never, authenticate: undefined as never } });
    h.rows.put('a');
    await h.registry.handleWebhook('a', post());
    expect(failures(h)).toEqual([{ id: 'a', code: 'NO_WEBHOOK_HANDLER', connectionId: 'a', acknowledged: false }]);
  });

  test('a delivery that could not be identified in time', async () => {
    const h = webhookHarness({ acquireTimeoutMs: 1_000, factory: { authenticate: () => new Promise(() => {}) } });
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.clock.advance(1_000);
    await response;
    expect(failures(h)).toEqual([{ id: 'a', code: 'ACQUIRE_TIMEOUT', connectionId: 'a', acknowledged: false }]);
  });

  test('a forged request', async () => {
    const h = webhookHarness();
    h.rows.put('a');
    await h.registry.handleWebhook('a', post('x', { secret: 'forged' }));
    expect(failures(h)).toEqual([{ id: 'a', code: 'UNAUTHENTICATED', connectionId: 'a', acknowledged: false }]);
  });

  test('a response that cannot be sent', async () => {
    const h = webhookHarness({ factory: { handleWebhook: answerThatWasRead } });
    h.rows.put('a');
    await h.registry.handleWebhook('a', post());
    const told = { id: 'a', code: 'HANDLER_FAILED', connectionId: 'a', cause: expect.any(TypeError), acknowledged: false };
    expect(failures(h)).toEqual([told]);
  });

  test('a platform that throws', async () => {
    const h = webhookHarness({
      factory: {
        handleWebhook: (_, __, { waitUntil }) => {
          waitUntil(Promise.resolve());
          return new Response();
        },
      },
    });
    h.rows.put('a');
    expect((await h.registry.handleWebhook('a', post(), { waitUntil: fail })).status).toBe(200);
    expect(failures(h)).toEqual([{ id: 'a', code: 'HANDLER_FAILED', connectionId: 'a', cause, acknowledged: false }]);
  });

  test('acknowledge.respond that throws', async () => {
    const gate = deferred<Response>();
    const h = webhookHarness({ factory: { acknowledge: { afterMs: 1_000, respond: fail }, handleWebhook: () => gate.promise } });
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.clock.advance(1_000);
    gate.resolve(new Response());
    await response;
    expect(failures(h)).toEqual([{ id: 'a', code: 'HANDLER_FAILED', connectionId: 'a', cause, acknowledged: false }]);
  });

  test('an error of another kind before the handler', async () => {
    const h = webhookHarness({ around: (row, work) => { if (row.id === 'a') throw cause; return work(); } });
    h.rows.put('a');
    await h.registry.handleWebhook('a', post());
    expect(failures(h)).toEqual([{ id: 'a', code: 'UNAUTHENTICATED', connectionId: 'a', cause, acknowledged: false }]);
  });

  test('respondToFailure that throws, before and after an acknowledgement', async () => {
    for (const acknowledged of [false, true]) {
      const gate = deferred<Response>();
      const h = webhookHarness({
        factory: { handleWebhook: () => gate.promise, respondToFailure: fail, ...(acknowledged ? { acknowledge: slow } : {}) },
      });
      h.rows.put('a');
      const response = h.registry.handleWebhook('a', post());
      await h.clock.advance(1_000);
      gate.reject(cause);
      await h.settle();
      expect(await seen(await response)).toMatchObject({ status: acknowledged ? 200 : 500 });
      expect(failures(h)).toEqual([
        { id: 'a', code: 'HANDLER_FAILED', connectionId: 'a', cause, acknowledged },
        { id: 'a', code: 'HANDLER_FAILED', connectionId: 'a', cause, acknowledged },
      ]);
    }
  });
});

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
