import { expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';

test('authenticate of a factory that is an instance of a class may use this', async () => {
  class Bots {
    readonly #header = 'x-good';
    create(): object { return {}; }
    authenticate(request: Request): boolean { return request.headers.has(this.#header); }
    handleWebhook(): Response { return new Response('served'); }
  }
  const registry = new ConnectionRegistry({
    store: new MemoryStore([{ id: 'a' }]),
    factory: new Bots(),
    clock: new ManualClock(),
  });
  const response = await registry.handleWebhook(
    'a',
    new Request('http://gateway.test/', { method: 'POST', headers: { 'x-good': '1' } }),
  );
  expect(await response.text()).toBe('served');
  await registry.close();
});
