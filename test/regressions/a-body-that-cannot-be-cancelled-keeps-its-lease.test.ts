import { describe, expect, test } from 'vitest';
import { RawConnection } from '../adapters/support/clients.js';
import { ADAPTERS } from '../adapters/support/servers.js';
import { deferred } from '../support/deferred.js';
import type { Harness } from '../support/harness.js';
import { post, SECRET, webhookHarness } from '../support/webhooks.js';

const DISPOSE_TIMEOUT_MS = 1_000;

/** Handlers whose Response lasts until its sender cancels it. The source never finishes the cancel. */
function gateway(factory: object = {}): Harness {
  const h = webhookHarness({
    disposeTimeoutMs: DISPOSE_TIMEOUT_MS,
    factory: {
      handleWebhook: () =>
        new Response(new ReadableStream({ cancel: () => new Promise(() => {}) }), { headers: { 'x-is': 'endless' } }),
      ...factory,
    },
  });
  h.rows.put('a');
  return h;
}

async function settled(h: Harness): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  await h.settle();
}

async function expectLeaseUntilTimeout(h: Harness): Promise<void> {
  await settled(h);
  expect(h.registry.inspect('a')?.leases).toBe(1);
  await h.clock.advance(DISPOSE_TIMEOUT_MS - 1);
  expect(h.registry.inspect('a')?.leases).toBe(1);
  await h.clock.advance(1);
  expect(h.registry.inspect('a')?.leases).toBe(0);
}

describe('a source whose cancel() never settles keeps its lease for disposeTimeoutMs, and no longer', () => {
  test('when the platform cancels the Response', async () => {
    const h = gateway();
    const response = await h.registry.handleWebhook('a', post());
    void response.body?.cancel();
    await expectLeaseUntilTimeout(h);
  });

  test('when another response was sent first', async () => {
    const handler = deferred<Response>();
    const h = gateway({
      acknowledge: { afterMs: 10, respond: () => new Response('later') },
      handleWebhook: () => handler.promise,
    });
    const delivery = h.registry.handleWebhook('a', post());
    await settled(h);
    await h.clock.advance(10);
    expect(await (await delivery).text()).toBe('later');
    handler.resolve(new Response(new ReadableStream({ cancel: () => new Promise(() => {}) })));
    await expectLeaseUntilTimeout(h);
  });

  test.each(Object.keys(ADAPTERS))('when the client leaves: %s', async (adapter) => {
    const h = gateway();
    const { port } = await ADAPTERS[adapter]!(h.registry);
    const connection = await RawConnection.open(port);
    connection.write(`POST /webhooks/a HTTP/1.1\r\nHost: h\r\nX-Secret: ${SECRET}\r\nContent-Length: 0\r\n\r\n`);
    if (adapter.startsWith('Fastify')) await settled(h);
    else await connection.until((received) => received.includes('x-is'));
    expect(h.registry.inspect('a')?.leases).toBe(1);
    connection.socket.destroy();
    await expectLeaseUntilTimeout(h);
  });

  test.each(Object.keys(ADAPTERS))('when the body answers a HEAD: %s', async (adapter) => {
    const h = gateway();
    const { port } = await ADAPTERS[adapter]!(h.registry);
    const connection = await RawConnection.open(port);
    connection.write(`HEAD /webhooks/a HTTP/1.1\r\nHost: h\r\nX-Secret: ${SECRET}\r\n\r\n`);
    await connection.until((received) => received.includes('x-is'));
    connection.socket.destroy();
    await expectLeaseUntilTimeout(h);
  });
});
