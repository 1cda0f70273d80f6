import { expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { example, listening } from './support.js';

const { createOperators } = await example('inspector/operators.mjs');

test('examples/inspector asks for the password, and refuses an action from elsewhere even with it', async () => {
  const registry = new ConnectionRegistry({ store: new MemoryStore([{ id: 'acme' }]), factory: { create: () => ({}) } });
  await registry.use('acme', () => {});
  const { listener, stop } = createOperators({ registry, password: 'open' });
  await using server = await listening(listener);
  const ask = (password: string | undefined, query = '', init: RequestInit = {}): Promise<Response> =>
    fetch(`${server.origin}/${query}`, {
      ...init,
      headers: { ...init.headers, ...(password === undefined ? {} : { authorization: `Basic ${btoa(`ada:${password}`)}` }) },
    });
  const refused = await ask(undefined);
  expect({ status: refused.status, wwwAuthenticate: refused.headers.get('www-authenticate') }).toEqual({
    status: 401,
    wwwAuthenticate: 'Basic realm="operators", charset="UTF-8"',
  });
  expect((await ask('a guess')).status).toBe(401);
  expect(await (await ask('open')).text()).toContain('<h1>Bots</h1>');
  const action = '?action=evict&id=acme';
  expect(
    (await ask('open', action, { method: 'POST', headers: { origin: 'https://evil.example', 'x-hydrant-inspector': '1' } }))
      .status,
  ).toBe(403);
  expect(
    (await ask('open', action, { method: 'POST', headers: { origin: server.origin, 'x-hydrant-inspector': '1' } })).status,
  ).toBe(200);
  expect(registry.snapshot().idle).toBe(0);
  stop();
  await registry.close();
});
