import { ConnectionError } from 'hydrant';
import { expect, test } from 'vitest';
import { post, seen, webhookHarness } from '../support/webhooks.js';

test('Retry-After is a number of seconds, or is not sent', async () => {
  const create = (): never => {
    throw new ConnectionError('HYDRATION_FAILED', 'revoked', { connectionId: 'a', retryable: false, retryAfterMs: Infinity });
  };
  const h = webhookHarness({ factory: { create } });
  h.rows.put('a');
  expect((await seen(await h.registry.handleWebhook('a', post()))).retryAfter ?? '1').toMatch(/^\d+$/);
});
