import { expect, test } from 'vitest';
import { detachingRow } from '../support/detaching-row.js';
import { deferred } from '../support/deferred.js';
import { post, webhookHarness } from '../support/webhooks.js';

test('a webhook whose row throws after authentication leaves nothing behind', async () => {
  const gate = deferred();
  const h = webhookHarness({ factory: { authenticate: async () => { await gate.promise; return true; } } });
  const { lazy, detach } = detachingRow();
  h.rows.rows.set('a', lazy);
  const delivery = h.registry.handleWebhook('a', post());
  await h.settle();
  detach();
  gate.resolve();
  const response = await delivery;
  expect(response.status).toBeGreaterThanOrEqual(500);
  await h.settle();
  expect(h.clock.pendingRefTimers).toBe(0);
  const close = h.registry.close();
  let done = false;
  void close.then(() => { done = true; });
  await h.clock.advance(100);
  expect(done).toBe(true);
});
