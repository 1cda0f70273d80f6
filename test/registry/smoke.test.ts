import { expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore, isConnectionError } from 'hydrant';
import { ManualClock } from 'hydrant/testing';

test('smoke', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore([{ id: 'a', token: '1' }]);
  const log: string[] = [];
  let reads = 0;
  const get = store.get.bind(store);
  store.get = async (id) => { reads += 1; return get(id); };
  const registry = new ConnectionRegistry({
    store, clock,
    factory: {
      create: async (r) => { log.push(`create ${r.token}`); return { token: r.token }; },
      dispose: (i, { reason }) => { log.push(`dispose ${i.token} ${reason}`); },
      authenticate: (request) => request.headers.get('x') === 'ok',
      handleWebhook: async (i, request) => new Response(i.token + await request.text()),
    },
  });
  const results = await Promise.all(Array.from({ length: 1000 }, () => registry.use('a', (i) => i.token)));
  expect(new Set(results)).toEqual(new Set(['1']));
  expect(log).toEqual(['create 1']);
  expect(reads).toBe(1);
  await store.put({ id: 'a', token: '2' });
  expect(await registry.use('a', (i) => i.token)).toBe('2');
  expect([...log].sort()).toEqual(['create 1', 'create 2', 'dispose 1 replaced']);
  const ok = await registry.handleWebhook('a', new Request('http://x/', { method: 'POST', body: 'hi', headers: { x: 'ok' } }));
  expect([ok.status, await ok.text()]).toEqual([200, '2hi']);
  expect((await registry.handleWebhook('a', new Request('http://x/', { method: 'POST', body: 'hi' }))).status).toBe(401);
  expect((await registry.handleWebhook('b', new Request('http://x/', { method: 'POST', body: 'hi' }))).status).toBe(404);
  await expect(registry.use('nope', () => 1)).rejects.toSatisfy((e) => isConnectionError(e, 'CONNECTION_NOT_FOUND'));
  await clock.advance(600_000);
  expect(log.at(-1)).toBe('dispose 2 idle');
  expect(await registry.close()).toEqual({ abandoned: [] });
  expect(registry.state).toBe('closed');
  expect(clock.pendingTimers).toBe(0);
});
