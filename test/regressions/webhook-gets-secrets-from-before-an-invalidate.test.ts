import { expect, test } from 'vitest';
import { ConnectionRegistry } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { deferred } from '../support/deferred.js';

test('the handler gets the secrets of its instance, although others authenticated the request', async () => {
  const clock = new ManualClock();
  const sameObjectEachTime = { id: 'a', version: 1, status: 'active' as const };
  const authenticated = deferred<boolean>();
  const seen: unknown[] = [];
  let asked = 0;
  const registry = new ConnectionRegistry({
    clock,
    store: { get: async () => sameObjectEachTime },
    factory: {
      secrets: async () => `s${(asked += 1)}`,
      create: (_record, { secrets }) => ({ secrets }),
      authenticate: () => authenticated.promise,
      handleWebhook: (instance, _request, { secrets }) => {
        seen.push(instance.secrets, secrets);
        return new Response();
      },
    },
  });
  const response = registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  await clock.advance(0);
  registry.invalidate('a');
  authenticated.resolve(true);
  expect((await response).status).toBe(200);
  expect(seen).toEqual(['s2', 's2']);
  await registry.close();
});
