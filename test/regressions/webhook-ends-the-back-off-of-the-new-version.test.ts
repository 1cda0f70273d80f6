import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, webhookHarness } from '../support/webhooks.js';

beforeEach(() => { vi.spyOn(Math, 'random').mockReturnValue(0.5); });
afterEach(() => { vi.restoreAllMocks(); });

test('a webhook that cannot load the secrets of the old version does not end the back-off of the new one', async () => {
  const vault = deferred<string>();
  const h = webhookHarness({
    failureBackoff: { initialMs: 10_000, maxMs: 10_000 },
    factory: { secrets: ({ version }) => (version === 'v1' ? vault.promise : 'known') },
  });
  h.rows.put('a');
  const delivery = h.registry.handleWebhook('a', post());
  await h.settle();
  h.rows.put('a');
  h.holdCreate().reject(new Error('no'));
  await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });

  vault.reject(new Error('sealed'));
  expect((await delivery).status).toBe(503);
  await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'BACKING_OFF', retryAfterMs: 5_000 });
  expect(h.creates).toBe(1);
});
