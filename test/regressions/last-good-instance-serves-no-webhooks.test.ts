import { expect, test } from 'vitest';
import { post, webhookHarness } from '../support/webhooks.js';

test("with 'keepLastGood', a row that does not parse leaves the last good instance to uses and webhooks", async () => {
  const h = webhookHarness({ keepLastGood: true });
  h.rows.put('a');
  await h.registry.use('a', () => {});
  h.rows.put('a', { status: 'nonsense' as never });
  expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v1');
  const response = await h.registry.handleWebhook('a', post());
  expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: 'a@v1#0: hello' });

  expect((await h.registry.handleWebhook('a', post('hello', { secret: 'wrong' }))).status).toBe(401);
  h.rows.stop('a');
  expect((await h.registry.handleWebhook('a', post())).status).toBe(404);
});
