import { expect, test } from 'vitest';
import { deferred, type Deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';

test('a webhook whose secrets come after its drain deadline is not handled by the instance that was disposed of', async () => {
  const secrets: Deferred<string>[] = [];
  const served: string[] = [];
  const h = new Harness({
    drainTimeoutMs: 1_000,
    factory: {
      secrets: () => {
        const call = deferred<string>();
        secrets.push(call);
        return call.promise;
      },
      authenticate: 'in-handler',
      handleWebhook: ({ name }) => { served.push(name); return new Response(); },
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
  expect(secrets).toHaveLength(2);

  await h.clock.advance(1_000);
  expect(h.log).toEqual(['create a@v1', 'dispose a@v1 invalidated']);
  secrets[1]!.resolve('s');
  expect((await response).status).toBe(503);
  expect(served).toEqual([]);
  expect(h.eventsOf('webhookFailed').map(({ error }) => [error.code, error.connectionId])).toEqual([['ACQUIRE_TIMEOUT', 'a']]);
});
