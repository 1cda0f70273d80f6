import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';

test('a webhook whose secrets come after the deadline of close fails with REGISTRY_CLOSED', async () => {
  const secrets = deferred<string>();
  const h = new Harness({
    factory: {
      secrets: () => secrets.promise,
      authenticate: () => true,
      handleWebhook: () => new Response(),
    },
  });
  h.rows.put('a');
  const response = h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  await h.settle();
  await Promise.all([h.registry.close({ drainTimeoutMs: 0 }), h.settle()]);
  secrets.resolve('s');
  expect(await (await response).json()).toMatchObject({ status: 503, code: 'REGISTRY_CLOSED' });
});
