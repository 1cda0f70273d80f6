import { expect, test } from 'vitest';
import type { StoreListener } from 'hydrant';
import { deferred, type Deferred } from '../support/deferred.js';
import { WatchedRows, type Harness } from '../support/harness.js';
import { post, webhookHarness } from '../support/webhooks.js';

/** A registry that reads again only when it must, and whose `authenticate` waits for the gate. */
async function authenticating(): Promise<{ h: Harness; store: WatchedRows; gate: Deferred<void>; delivery: Promise<Response> }> {
  const store = new WatchedRows();
  const gate = deferred();
  const h = webhookHarness({
    store, freshness: { maxStaleMs: 3_600_000 }, sweepIntervalMs: 0,
    factory: { authenticate: async () => { await gate.promise; return true; } },
  });
  await h.settle();
  store.put('a');
  const delivery = h.registry.handleWebhook('a', post());
  await h.clock.advance(10);
  return { h, store, gate, delivery };
}

test.each<{ what: string; tell: (listener: StoreListener) => void }>([
  { what: 'a hint', tell: (listener) => listener.changed(['a']) },
  { what: 'a gap', tell: (listener) => listener.gap() },
])('$what that comes while a webhook is authenticated is not lost', async ({ tell }) => {
  const { h, store, gate, delivery } = await authenticating();
  store.put('a');
  tell(store.hints);
  await h.clock.advance(10);
  gate.resolve();
  expect(await (await delivery).text()).toContain('a@v2');
  expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v2');
  expect(h.log).toEqual(['create a@v2']);
});

test('a webhook that was authenticated meanwhile does not bring back the version before the one that failed', async () => {
  const { h, store, gate, delivery } = await authenticating();
  store.put('a');
  h.holdCreate(0).reject(new Error('no'));
  await expect(h.registry.use('a', () => {}, { freshness: 'strict' })).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
  gate.resolve();
  expect((await delivery).status).toBe(503);
  expect(h.log).toEqual(['create a@v2']);
});
