import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, seen, webhookHarness } from '../support/webhooks.js';

describe('acknowledge', () => {
  const acknowledge = {
    afterMs: 2_000,
    respond: async (request: Request) =>
      (await request.text()).startsWith('command') ? new Response('working on it') : undefined,
  };

  test('answers after afterMs while the hydrate goes on under its lease', async () => {
    const served: string[] = [];
    const h = webhookHarness({
      factory: {
        acknowledge,
        handleWebhook: async (_, request) => {
          served.push(await request.text());
          return new Response('done');
        },
      },
    });
    h.rows.put('a');
    const gate = h.holdCreate();
    const told: Promise<unknown>[] = [];
    const response = h.registry.handleWebhook('a', post('command /ping'), { waitUntil: (work) => { told.push(work); } });
    await h.clock.advance(2_000);
    expect(await seen(await response)).toEqual({ status: 200, body: 'working on it' });
    expect(told).toHaveLength(1);
    expect(served).toEqual([]);
    gate.resolve();
    await Promise.all(told);
    expect(served).toEqual(['command /ping']);
    await h.settle();
    expect(h.registry.snapshot()).toMatchObject({ idle: 1, leased: 0 });
  });

  test('a respond that returns undefined keeps the sender waiting', async () => {
    const h = webhookHarness({ factory: { acknowledge } });
    h.rows.put('a');
    const gate = h.holdCreate();
    const response = h.registry.handleWebhook('a', post('event'));
    await h.clock.advance(10_000);
    gate.resolve();
    expect(await seen(await response)).toEqual({ status: 200, body: 'a@v1#0: event' });
  });

  test('respond is not called before authenticate has passed, nor when the handler was in time', async () => {
    let asked = 0;
    const verdict = deferred<boolean>();
    const h = webhookHarness({
      factory: {
        acknowledge: {
          afterMs: 0,
          respond: () => {
            asked += 1;
            return new Response();
          },
        },
        authenticate: () => verdict.promise,
      },
    });
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post('command'));
    await h.clock.advance(5_000);
    expect(asked).toBe(0);
    verdict.resolve(false);
    expect((await response).status).toBe(401);

    const quick = webhookHarness({ factory: { acknowledge } });
    quick.rows.put('a');
    expect(await seen(await quick.registry.handleWebhook('a', post('command')))).toMatchObject({ body: 'a@v1#0: command' });
    expect(quick.clock.pendingRefTimers).toBe(0);
  });

  test('a failure after the acknowledgement reaches respondToFailure, and changes no response', async () => {
    const calls: unknown[] = [];
    const h = webhookHarness({
      factory: {
        acknowledge,
        respondToFailure: async (failure, request, { acknowledged, record }) => {
          calls.push({ code: failure.code, body: await request.text(), acknowledged, id: record?.id });
          return new Response('too late');
        },
      },
    });
    h.rows.put('a');
    const gate = h.holdCreate();
    const response = h.registry.handleWebhook('a', post('command'));
    await h.clock.advance(2_000);
    expect(await seen(await response)).toEqual({ status: 200, body: 'working on it' });
    gate.reject(new Error('token revoked'));
    await h.settle();
    await h.settle();
    expect(calls).toEqual([{ code: 'HYDRATION_FAILED', body: 'command', acknowledged: true, id: 'a' }]);
    expect(h.eventsOf('webhookFailed')).toMatchObject([{ acknowledged: true }]);
  });

  test('a respond that throws is reported, and the handler answers', async () => {
    const h = webhookHarness({ factory: { acknowledge: { afterMs: 1_000, respond: () => { throw new Error('no'); } } } });
    h.rows.put('a');
    const gate = h.holdCreate();
    const response = h.registry.handleWebhook('a', post('event'));
    await h.clock.advance(1_000);
    gate.resolve();
    expect((await response).status).toBe(200);
    expect(h.eventsOf('webhookFailed')).toHaveLength(1);
  });

  test('close waits for acknowledged deliveries', async () => {
    const h = webhookHarness({ factory: { acknowledge } });
    h.rows.put('a');
    const gate = h.holdCreate();
    const response = h.registry.handleWebhook('a', post('command'));
    await h.clock.advance(2_000);
    await response;
    let closed = false;
    const closing = h.registry.close().then((report) => { closed = true; return report; });
    await h.settle();
    expect(closed).toBe(false);
    gate.resolve();
    expect(await closing).toEqual({ abandoned: [] });
  });
});
