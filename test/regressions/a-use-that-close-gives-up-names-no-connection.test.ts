import { expect, test } from 'vitest';
import { post, webhookHarness } from '../support/webhooks.js';

test('a use and a webhook that wait for their row when close gives up get an error with their connection id', async () => {
  const h = webhookHarness({ storeTimeoutMs: Infinity });
  for (const id of ['a', 'b']) h.rows.put(id);
  h.rows.hold();
  const refused = Promise.all(['a', 'b'].map((id) => h.registry.use(id, () => {}).catch((error: unknown) => error)));
  const response = h.registry.handleWebhook('b', post());
  await h.settle();
  const again = h.registry.use('a', () => {}).catch((error: unknown) => error);
  const closed = h.registry.close({ drainTimeoutMs: 500 });
  await h.clock.advance(500);
  expect([...(await refused), await again]).toMatchObject(
    ['a', 'b', 'a'].map((connectionId) => ({ code: 'REGISTRY_CLOSED', connectionId })),
  );
  expect((await response).status).toBe(503);
  expect(h.eventsOf('webhookFailed')).toMatchObject([{ id: 'b', error: { code: 'REGISTRY_CLOSED', connectionId: 'b' } }]);
  await closed;
});
