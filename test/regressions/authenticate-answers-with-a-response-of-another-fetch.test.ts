import { expect, test } from 'vitest';
import { post, webhookHarness } from '../support/webhooks.js';

const answer = { status: 418, statusText: '', headers: new Headers(), body: null };

test.each([
  ['answered with', answer, 418],
  ['refused, for it is no Response', { status: 418, body: null }, 401],
])("what authenticate resolves is %s, though it is not of this process's fetch", async (_, verdict, status) => {
  const h = webhookHarness({ factory: { authenticate: () => verdict as never } });
  h.rows.put('a');
  expect((await h.registry.handleWebhook('a', post())).status).toBe(status);
  expect(h.creates).toBe(0);
});
