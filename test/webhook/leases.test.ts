import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, streamingHarness, webhookHarness } from '../support/webhooks.js';

describe('the lease of a webhook', () => {
  test('is released at once for a response built from a string, read or not', async () => {
    const h = webhookHarness();
    h.rows.put('a');
    expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
    expect(h.registry.snapshot()).toMatchObject({ idle: 1, leased: 0 });
  });

  test('is held until a streaming response has been read', async () => {
    const more = deferred();
    const h = webhookHarness({
      factory: {
        handleWebhook: () => new Response(new ReadableStream({
          async start(controller) {
            controller.enqueue(new TextEncoder().encode('one '));
            await more.promise;
            controller.enqueue(new TextEncoder().encode('two'));
            controller.close();
          },
        }), { status: 201, headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2']] }),
      },
    });
    h.rows.put('a');
    const response = await h.registry.handleWebhook('a', post());
    expect(response.status).toBe(201);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(h.registry.snapshot()).toMatchObject({ leased: 1 });
    h.registry.invalidate('a');
    const closed = h.registry.close();
    more.resolve();
    expect(await response.text()).toBe('one two');
    expect(await closed).toEqual({ abandoned: [] });
    expect(h.instances[0]?.disposed).toBe('invalidated');
  });

  test('is released when a streaming response is cancelled or fails', async () => {
    for (const end of ['cancel', 'error'] as const) {
      let fail!: (error: Error) => void;
      let cancelled: unknown;
      const h = streamingHarness({
        start(controller) { controller.enqueue(new Uint8Array(1)); fail = (error) => controller.error(error); },
        cancel(reason) { cancelled = reason; },
      });
      const response = await h.registry.handleWebhook('a', post());
      expect(h.registry.snapshot()).toMatchObject({ leased: 1 });
      if (end === 'cancel') {
        await response.body?.cancel('the client left');
        expect(cancelled).toBe('the client left');
      } else {
        fail(new Error('upstream died'));
        await expect(response.text()).rejects.toThrow();
      }
      expect(h.registry.snapshot()).toMatchObject({ leased: 0 });
    }
  });

  test('is held for a stream that is always ready, of which only a little is read ahead', async () => {
    let pulled = 0;
    const h = streamingHarness({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(10));
      },
    });
    const response = await h.registry.handleWebhook('a', post());
    expect(pulled).toBeLessThanOrEqual(20);
    expect(h.registry.snapshot()).toMatchObject({ leased: 1 });
    await response.body?.cancel();
    expect(h.registry.snapshot()).toMatchObject({ leased: 0 });
  });

  test('is held until all waitUntil work has settled, failed work included', async () => {
    const works = [deferred(), deferred()];
    const h = webhookHarness({
      factory: {
        handleWebhook: (_, __, { waitUntil }) => {
          for (const { promise } of works) waitUntil(promise);
          return new Response('ok');
        },
      },
    });
    h.rows.put('a');
    expect(await (await h.registry.handleWebhook('a', post())).text()).toBe('ok');
    expect(h.registry.snapshot()).toMatchObject({ leased: 1 });
    works[0]?.resolve();
    await h.settle();
    expect(h.registry.snapshot()).toMatchObject({ leased: 1 });
    const failure = new Error('post failed');
    works[1]?.reject(failure);
    await h.settle();
    expect(h.registry.snapshot()).toMatchObject({ leased: 0 });
    expect(h.eventsOf('webhookFailed')).toMatchObject([
      { id: 'a', error: { code: 'HANDLER_FAILED', cause: failure }, acknowledged: true },
    ]);
  });

  test('close waits for webhooks that were accepted, from their first read on', async () => {
    const h = webhookHarness();
    h.rows.put('a');
    h.rows.hold();
    const response = h.registry.handleWebhook('a', post());
    await h.settle();
    const closed = h.registry.close();
    h.rows.letAllGo();
    expect((await response).status).toBe(200);
    expect(await closed).toEqual({ abandoned: [] });
  });
});
