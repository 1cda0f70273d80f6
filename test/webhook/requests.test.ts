import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, seen, webhookHarness } from '../support/webhooks.js';

/** The request, as the handler got it. */
async function given(request: Request): Promise<Request> {
  let got: Request | undefined;
  const h = webhookHarness({
    factory: {
      authenticate: () => true,
      handleWebhook: (_, copy) => {
        got = copy;
        return new Response();
      },
    },
  });
  h.rows.put('a');
  await h.registry.handleWebhook('a', request);
  return got as Request;
}

describe('the request that a handler gets', () => {
  test('has the whole body, however many pieces it came in', async () => {
    const pieces = ['one ', 'two ', 'three'];
    const body = new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
        controller.close();
      },
    });
    expect(await (await given(post(body, { duplex: 'half' } as RequestInit))).text()).toBe('one two three');
  });

  test('has no body if none was sent', async () => {
    expect((await given(post(null))).body).toBeNull();
    expect((await given(post(''))).body).toBeNull();
  });

  test.each(['GET', 'HEAD'])('is a %s although its platform gave it a body', async (method) => {
    const request = post('odd');
    Object.defineProperty(request, 'method', { value: method });
    expect(await given(request)).toMatchObject({ method, body: null });
  });

  test('has the URL as it came, because a signature may cover it', async () => {
    const request = post();
    Object.defineProperty(request, 'url', { value: "http://gateway.test/webhooks/a?name='x'" });
    expect((await given(request)).url).toBe("http://gateway.test/webhooks/a?name='x'");
  });

  test('follows the signal it came with, without a copy of it', async () => {
    const request = post();
    expect((await given(request)).signal).toBe(request.signal);
  });

  test('may announce a body of exactly the cap', async () => {
    const h = webhookHarness({ webhook: { maxBodyBytes: 10 } });
    h.rows.put('a');
    expect((await h.registry.handleWebhook('a', post('1234567890', { headers: { 'content-length': '10' } }))).status).toBe(200);
  });
});

test('a body that other code has begun to read gets another error than one that broke off', async () => {
  const h = webhookHarness();
  h.rows.put('a');
  const locked = post();
  locked.body?.getReader();
  expect(await (await h.registry.handleWebhook('a', locked)).json()).toMatchObject({ code: 'BODY_ALREADY_PARSED' });

  const failure = new Error('ECONNRESET');
  await h.registry.handleWebhook(
    'a',
    post(
      new ReadableStream({
        start(controller) {
          controller.error(failure);
        },
      }),
      { duplex: 'half' } as RequestInit,
    ),
  );
  expect(h.eventsOf('webhookFailed').map(({ error: { code, cause } }) => ({ code, cause }))).toEqual([
    { code: 'BODY_ALREADY_PARSED', cause: undefined },
    { code: 'UNAUTHENTICATED', cause: failure },
  ]);
});

test('the handler gets the signal of its lease, which aborts when a drain deadline has passed', async () => {
  const gate = deferred();
  let signal: AbortSignal | undefined;
  const h = webhookHarness({
    drainTimeoutMs: 1_000,
    factory: {
      handleWebhook: async (_, __, context) => {
        signal = context.signal;
        await gate.promise;
        return new Response();
      },
    },
  });
  h.rows.put('a');
  const response = h.registry.handleWebhook('a', post());
  await h.settle();
  h.registry.invalidate('a');
  await h.clock.advance(999);
  expect(signal?.aborted).toBe(false);
  await h.clock.advance(1);
  expect(signal?.aborted).toBe(true);
  gate.resolve();
  expect((await response).status).toBe(200);
});

test('no read is sent for a webhook that has timed out', async () => {
  const h = webhookHarness({ acquireTimeoutMs: 1_000, storeTimeoutMs: Infinity });
  h.rows.put('a');
  h.rows.hold();
  const first = h.registry.handleWebhook('a', post());
  await h.settle();
  const second = h.registry.handleWebhook('a', post());
  await h.clock.advance(1_000);
  for (const delivery of [first, second]) expect((await delivery).status).toBe(503);
  h.rows.letAllGo();
  await h.settle();
  expect(h.rows.reads).toEqual(['a']);
});

test('a delivery keeps the process alive while it is identified, and has no timer with acquireTimeoutMs: Infinity', async () => {
  for (const { acquireTimeoutMs, timers } of [
    { acquireTimeoutMs: 1_000, timers: 1 },
    { acquireTimeoutMs: Infinity, timers: 0 },
  ] as const) {
    const verdict = deferred<boolean>();
    const h = webhookHarness({
      acquireTimeoutMs,
      sweepIntervalMs: 0,
      idleTimeoutMs: Infinity,
      factory: { authenticate: () => verdict.promise },
    });
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.settle();
    expect(h.clock.pendingTimers).toBe(timers);
    expect(h.clock.pendingRefTimers).toBe(timers);
    verdict.resolve(true);
    expect(await seen(await response)).toMatchObject({ status: 200 });
    expect(h.clock.pendingTimers).toBe(0);
  }
});
