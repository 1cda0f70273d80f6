import { expect, test } from 'vitest';
import { post, webhookHarness } from '../support/webhooks.js';

const answer = { status: 418, statusText: '', headers: new Headers(), body: null };

test.each([
  { what: 'answered with', verdict: answer, status: 418 },
  { what: 'refused, for it is no Response', verdict: { status: 418, body: null }, status: 401 },
])('a verdict from another implementation of fetch is $what', async ({ verdict, status }) => {
  const h = webhookHarness({ factory: { authenticate: () => verdict as never } });
  h.rows.put('a');
  expect((await h.registry.handleWebhook('a', post())).status).toBe(status);
  expect(h.creates).toBe(0);
});
