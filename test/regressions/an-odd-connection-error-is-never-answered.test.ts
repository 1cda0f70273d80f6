import { ConnectionError } from 'hydrant';
import { expect, test } from 'vitest';
import { post, webhookHarness } from '../support/webhooks.js';

const failure = (fields: object): ConnectionError =>
  Object.defineProperties(
    new ConnectionError('HYDRATION_FAILED', 'no', { connectionId: 'a', retryable: false }),
    Object.getOwnPropertyDescriptors(fields),
  );

test.each<{ what: string; error: ConnectionError; status: number }>([
  { what: 'whose delay is a bigint', error: failure({ retryAfterMs: 5n }), status: 503 },
  { what: 'whose delay is a symbol', error: failure({ retryAfterMs: Symbol('5') }), status: 503 },
  { what: 'whose code is a bigint', error: failure({ code: 5n }), status: 500 },
  { what: 'whose delay throws', error: failure({ get retryAfterMs() { throw new Error('x'); } }), status: 500 },
  { what: 'whose code throws', error: failure({ get code() { throw new Error('x'); } }), status: 503 },
])('a delivery is answered although create fails $what', async ({ error, status }) => {
  const h = webhookHarness({ factory: { create: () => { throw error; } } });
  h.rows.put('a');
  expect((await h.registry.handleWebhook('a', post())).status).toBe(status);
  expect((await h.registry.handleWebhook('a', post())).status).toBe(status);
});
