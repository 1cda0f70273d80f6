import { ConnectionError } from 'hydrant';
import { expect, test } from 'vitest';
import { post, webhookHarness } from '../support/webhooks.js';

const failure = (fields: object): ConnectionError =>
  Object.defineProperties(
    new ConnectionError('HYDRATION_FAILED', 'no', { connectionId: 'a', retryable: false }),
    Object.getOwnPropertyDescriptors(fields),
  );

test.each<[string, ConnectionError, number]>([
  ['whose delay is a bigint', failure({ retryAfterMs: 5n }), 503],
  ['whose delay is a symbol', failure({ retryAfterMs: Symbol('5') }), 503],
  ['whose code is a bigint', failure({ code: 5n }), 500],
  ['whose delay throws', failure({ get retryAfterMs() { throw new Error('x'); } }), 500],
  ['whose code throws', failure({ get code() { throw new Error('x'); } }), 503],
])('a delivery is answered although create fails %s', async (_what, error, status) => {
  const h = webhookHarness({ factory: { create: () => { throw error; } } });
  h.rows.put('a');
  expect((await h.registry.handleWebhook('a', post())).status).toBe(status);
  expect((await h.registry.handleWebhook('a', post())).status).toBe(status);
});
