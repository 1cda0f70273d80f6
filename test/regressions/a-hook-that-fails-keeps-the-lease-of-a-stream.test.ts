import fastify from 'fastify';
import { fastifyWebhook } from 'hydrant/fastify';
import { expect, test } from 'vitest';
import { SECRET, webhookHarness } from '../support/webhooks.js';

test.each(['fails', 'replaces it'] as const)(
  'an onSend hook that %s releases the body of the handler and its lease',
  async (what) => {
    let cancelled = false;
    const h = webhookHarness({
      factory: {
        handleWebhook: async () =>
          new Response(
            new ReadableStream({
              async pull(controller) {
                await new Promise((resolve) => {
                  setTimeout(resolve, 20);
                });
                controller.enqueue(new Uint8Array([65]));
              },
              cancel() {
                cancelled = true;
              },
            }),
          ),
      },
    });
    h.rows.put('a');
    const app = fastify();
    let called = 0;
    app.addHook('onSend', async (_request, _reply, _payload) => {
      called += 1;
      if (what === 'fails' && called === 1) throw new Error('hook');
      return 'instead';
    });
    app.register(fastifyWebhook, { registry: h.registry, path: '/:connectionId', onError: () => {} });
    const response = await app.inject({ method: 'POST', url: '/a', payload: 'x', headers: { 'x-secret': SECRET } });
    expect(response.statusCode).toBe(what === 'fails' ? 500 : 200);
    for (let i = 0; i < 5; i += 1) await new Promise(setImmediate);
    expect(cancelled).toBe(true);
    expect(h.registry.inspect('a')?.leases).toBe(0);
  },
);
