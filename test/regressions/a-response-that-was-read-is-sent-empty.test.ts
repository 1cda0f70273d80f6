import express from 'express';
import { expressWebhook } from 'hydrant/express';
import { expect, test } from 'vitest';
import { listen } from '../adapters/support/servers.js';
import { post, SECRET, webhookHarness } from '../support/webhooks.js';

const read = async (): Promise<Response> => {
  const response = new Response('important');
  for await (const _ of response.body as unknown as AsyncIterable<Uint8Array>);
  return response;
};

test('a Response whose body was read is a failure, not an empty 200', async () => {
  const h = webhookHarness({ factory: { handleWebhook: read } });
  h.rows.put('a');
  const response = await h.registry.handleWebhook('a', post());
  expect(response.status).toBe(500);
});
test('through Express, a Response whose body was read is a failure too', async () => {
  const h = webhookHarness({ factory: { handleWebhook: read } });
  h.rows.put('a');
  const { port } = await listen(express().all('/:connectionId', expressWebhook(h.registry, { onError: () => {} })));
  const response = await fetch(`http://127.0.0.1:${port}/a`, { method: 'POST', body: 'x', headers: { 'x-secret': SECRET } });
  expect(response.status).toBe(500);
});
