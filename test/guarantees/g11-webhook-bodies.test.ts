import { describe, expect, test } from 'vitest';
import { echo, post, seen, webhookHarness } from '../support/webhooks.js';

describe('G11 webhook honesty, bodies', () => {
  test('a body over the cap is answered 413, whether its length is announced or not, and the rest is not read', async () => {
    const h = webhookHarness({ webhook: { maxBodyBytes: 10 } });
    h.rows.put('a');
    expect(await seen(await h.registry.handleWebhook('a', post('12345678901')))).toEqual({ status: 413, code: 'BODY_TOO_LARGE' });
    expect((await h.registry.handleWebhook('a', post('1234567890'))).status).toBe(200);
    let pulled = 0;
    let cancelled = false;
    const endless = new ReadableStream({
      pull(controller) { pulled += 1; controller.enqueue(new Uint8Array(4)); },
      cancel() { cancelled = true; },
    }, { highWaterMark: 0 });
    const streaming = post(endless, { duplex: 'half' } as RequestInit);
    expect((await h.registry.handleWebhook('a', streaming)).status).toBe(413);
    expect(pulled).toBe(3);
    expect(cancelled).toBe(true);
    expect((await h.registry.handleWebhook('a', post('x', { headers: { 'content-length': '11' } }))).status).toBe(413);
  });

  test('a body that other code has read is answered 500, and the error names the fix', async () => {
    const h = webhookHarness();
    h.rows.put('a');
    const request = post();
    await request.text();
    const response = await h.registry.handleWebhook('a', request);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ code: 'BODY_ALREADY_PARSED', detail: expect.stringContaining('rawBody') });
    const locked = post();
    locked.body?.getReader();
    expect((await h.registry.handleWebhook('a', locked)).status).toBe(500);
  });

  test('a body that breaks off is answered 401', async () => {
    const h = webhookHarness();
    h.rows.put('a');
    const broken = post(
      new ReadableStream({
        start(controller) {
          controller.error(new Error('ECONNRESET'));
        },
      }),
      { duplex: 'half' } as RequestInit,
    );
    expect(await seen(await h.registry.handleWebhook('a', broken))).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
  });

  test('an endless body is given up after acquireTimeoutMs', async () => {
    const h = webhookHarness({ acquireTimeoutMs: 1_000 });
    h.rows.put('a');
    let cancelled = false;
    const stalled = post(
      new ReadableStream({
        cancel() {
          cancelled = true;
        },
      }),
      { duplex: 'half' } as RequestInit,
    );
    const response = h.registry.handleWebhook('a', stalled);
    await h.clock.advance(1_000);
    expect(await seen(await response)).toMatchObject({ status: 503, code: 'ACQUIRE_TIMEOUT' });
    expect(cancelled).toBe(true);
  });

  test('authenticate and the handler each get a request of their own with a readable body', async () => {
    const bodies: string[] = [];
    const h = webhookHarness({
      factory: {
        authenticate: async (request) => {
          bodies.push(await request.text());
          return true;
        },
        handleWebhook: async (instance, request) => {
          bodies.push(await request.clone().text());
          return echo(instance, request);
        },
      },
    });
    h.rows.put('a');
    const bytes = new Uint8Array([0, 255, 10, 13, 128]);
    await h.registry.handleWebhook('a', post(bytes));
    expect(bodies[0]).toBe(bodies[1]);
    const get = new Request('http://gateway.test/webhooks/a?hub.challenge=1&x=%20y', {
      headers: { 'x-secret': 'the-shared-secret' },
    });
    expect((await h.registry.handleWebhook('a', get)).status).toBe(200);
  });
});
