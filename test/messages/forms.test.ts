import { ConnectionRegistry } from 'hydrant';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RawConnection } from '../adapters/support/clients.js';
import { ADAPTERS, answering } from '../adapters/support/servers.js';
import { post, webhookHarness } from '../support/webhooks.js';

/*
 * Since Node 24, `fetch` fills the stream of a form by itself. A stream that is cancelled before it is full rejects in
 * a promise that nobody can reach, which ends the process.
 */

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => { process.on('unhandledRejection', note); });
afterEach(async () => {
  await turns(3);
  process.off('unhandledRejection', note);
  expect(unhandled.splice(0)).toEqual([]);
});

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
};

function form(parts: number, part: string | Blob = 'x'): FormData {
  const made = new FormData();
  for (let index = 0; index < parts; index += 1) made.append(`part${index}`, part as Blob);
  return made;
}

const FORMS: Record<string, () => Response> = {
  'of one text': () => new Response(form(1)),
  'of a hundred texts': () => new Response(form(100)),
  'of files': () => new Response(form(20, new Blob(['y'.repeat(50_000)]))),
  'under another type': () => new Response(form(100), { headers: { 'content-type': 'text/plain' } }),
};

for (const [what, make] of Object.entries(FORMS)) {
  test.each(Object.keys(ADAPTERS))(`a form ${what} that answers a HEAD does not end the process: %s`, async (adapter) => {
    const { port } = await ADAPTERS[adapter]!(answering(make));
    const connection = await RawConnection.open(port);
    connection.write('HEAD /webhooks/c1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(await connection.untilClosed()).toMatch(/^HTTP\/1\.1 200 /);
    await turns(20);
  });
}

test.each(Object.keys(ADAPTERS))('a client that leaves in the middle of a form does not end the process: %s', async (adapter) => {
  const { port } = await ADAPTERS[adapter]!(answering(() => new Response(form(30, new Blob(['y'.repeat(100_000)])))));
  const connection = await RawConnection.open(port);
  connection.write('GET /webhooks/c1 HTTP/1.1\r\nHost: h\r\n\r\n');
  await connection.until((received) => received.length > 1_000);
  connection.socket.destroy();
  await turns(50);
});

test('a handler that answers with a form after the acknowledgement does not end the process', async () => {
  const h = webhookHarness({
    factory: {
      acknowledge: { afterMs: 100, respond: () => new Response('later') },
      handleWebhook: async () => {
        await h.clock.advance(100);
        return new Response(form(100));
      },
    },
  });
  h.rows.put('a');
  expect(await (await h.registry.handleWebhook('a', post())).text()).toBe('later');
  await turns(5);
  expect(h.registry.inspect('a')?.leases).toBe(0);
});

test('a Request with a form over the cap does not end the process', async () => {
  const registry = new ConnectionRegistry({
    store: { get: async (id) => ({ id, version: 1, status: 'active' as const }) },
    webhook: { maxBodyBytes: 10 },
    factory: { create: () => ({}), authenticate: () => true, handleWebhook: () => new Response() },
  });
  registry.on('webhookFailed', () => {});
  const request = new Request('http://h/', { method: 'POST', body: form(100) });
  expect((await registry.handleWebhook('a', request)).status).toBe(413);
  await turns(5);
  await registry.close();
});
