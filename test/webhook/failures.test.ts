import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import type { Harness } from '../support/harness.js';
import { answerThatWasRead, handingOver, post, seen, webhookHarness } from '../support/webhooks.js';

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
      factory: { handleWebhook: handingOver(() => Promise.resolve()) },
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
