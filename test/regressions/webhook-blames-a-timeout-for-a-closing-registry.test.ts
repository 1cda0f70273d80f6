import { expect, test } from 'vitest';
import { deferred, type Deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';

test('a webhook whose secrets come after the deadline of close is told that the registry is closing', async () => {
  const secrets: Deferred<string>[] = [];
  const h = new Harness({
    factory: {
      secrets: () => {
        const call = deferred<string>();
        secrets.push(call);
        return call.promise;
      },
      authenticate: 'in-handler',
      handleWebhook: () => new Response(),
    },
  });
  h.rows.put('a');
  const gate = h.holdCreate();
  const response = h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  await h.settle();
  secrets[0]!.resolve('s');
  await h.settle();
  // Forgets the secrets, so that the handler's are fetched anew.
  h.registry.invalidate('a');
  gate.resolve();
  await h.settle();
  await Promise.all([h.registry.close({ drainTimeoutMs: 0 }), h.settle()]);
  secrets[1]!.resolve('s');
  expect(await (await response).json()).toMatchObject({ status: 503, code: 'REGISTRY_CLOSED' });
});
