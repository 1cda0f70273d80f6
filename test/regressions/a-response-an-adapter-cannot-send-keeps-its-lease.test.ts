import express from 'express';
import fastify from 'fastify';
import { expressWebhook } from 'hydrant/express';
import { fastifyWebhook } from 'hydrant/fastify';
import { expect, test } from 'vitest';
import { listen } from '../adapters/support/servers.js';
import { SECRET, webhookHarness } from '../support/webhooks.js';

/** A Response like that of node-fetch 2, without getSetCookie. */
const foreign = (): Response =>
  ({ status: 200, statusText: '', headers: { get: () => null }, body: null }) as unknown as Response;

test.each(['express', 'fastify', 'fetch'] as const)('a Response that %s cannot send releases its lease', async (kind) => {
  const h = webhookHarness({ factory: { handleWebhook: async () => foreign() } });
  h.rows.put('a');
  const onError = (): void => {};
  if (kind === 'express') {
    const { port } = await listen(express().all('/:connectionId', expressWebhook(h.registry, { onError })));
    const response = await fetch(`http://127.0.0.1:${port}/a`, { method: 'POST', body: 'x', headers: { 'x-secret': SECRET } });
    expect(response.status).toBe(500);
  } else if (kind === 'fastify') {
    const app = fastify();
    app.register(fastifyWebhook, { registry: h.registry, path: '/:connectionId', onError });
    const response = await app.inject({ method: 'POST', url: '/a', payload: 'x', headers: { 'x-secret': SECRET } });
    expect(response.statusCode).toBe(500);
  } else {
    await h.registry.handleWebhook(
      'a',
      new Request('http://x/a', { method: 'POST', body: 'x', headers: { 'x-secret': SECRET } }),
    );
  }
  await new Promise(setImmediate);
  expect(h.registry.inspect('a')?.leases).toBe(0);
});
