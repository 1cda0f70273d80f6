import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';
import { post, seen } from '../support/webhooks.js';

test('an id that has been served is not remembered as unknown', async () => {
  const h = new Harness({ idleTimeoutMs: 1 });
  h.rows.hold();
  const first = h.registry.use('a', () => {}).catch((error: unknown) => error);
  await h.settle();
  h.rows.put('a');
  const second = h.registry.use('a', () => 'served');
  await h.settle();
  h.rows.letAllGo();
  expect(await first).toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
  expect(await second).toBe('served');
  await h.clock.advance(10);
  expect(h.registry.snapshot().live).toBe(0);
  expect(await seen(await h.registry.handleWebhook('a', post()))).toMatchObject({ code: 'NO_WEBHOOK_HANDLER' });
});
