import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test('a webhook gets its instance and the secrets of that instance in one step, so no drain deadline can pass in between', async () => {
  let calls = 0;
  const served: unknown[] = [];
  const h = new Harness({
    drainTimeoutMs: 1_000,
    factory: {
      secrets: () => `secret ${calls += 1}`,
      authenticate: 'in-handler',
      handleWebhook: ({ name }, _request, { secrets }) => {
        served.push({ name, secrets });
        return new Response();
      },
    },
  });
  h.rows.put('a');
  const gate = h.holdCreate();
  const response = h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  await h.settle();
  // Forgets the secrets. The handler still gets those that its instance was created with.
  h.registry.invalidate('a');
  gate.resolve();
  await h.settle();
  expect((await response).status).toBe(200);
  expect({ calls, served, log: h.log }).toEqual({
    calls: 1,
    served: [{ name: 'a@v1#0', secrets: 'secret 1' }],
    log: ['create a@v1', 'dispose a@v1 invalidated'],
  });
});
