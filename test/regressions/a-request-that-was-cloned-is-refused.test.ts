import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { toNodeHandler } from 'hydrant/node';
import { webhookHarness, SECRET } from '../support/webhooks.js';

test('a handler may read a clone of the request before it passes the request to the registry', async () => {
  const h = webhookHarness();
  h.rows.put('a');
  const server = createServer(toNodeHandler(async (request) => {
    const { id } = await request.clone().json() as { id: string };
    return h.registry.handleWebhook(id, request);
  })).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { 'x-secret': SECRET },
      body: '{"id":"a"}',
    });
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: 'a@v1#0: {"id":"a"}' });
  } finally {
    server.closeAllConnections();
    server.close();
    await h.registry.close();
  }
});
