import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';

test('a webhook whose row is edited while it is authenticated does not start the old version beside a draining one', async () => {
  const authenticated = deferred<boolean>();
  const served: string[] = [];
  const h = new Harness({
    maxInstances: 1,
    freshness: { maxStaleMs: 1_000 },
    factory: {
      authenticate: () => authenticated.promise,
      handleWebhook: ({ name }) => {
        served.push(name);
        return new Response();
      },
    },
  });
  h.rows.put('a');
  const response = h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  await h.settle();
  const lease = await h.registry.acquire('a');
  h.rows.put('a');
  await h.registry.use('a', () => {}, { freshness: 'strict' });
  await h.settle();
  expect(h.log, 'no slot shows the edit').toEqual(['create a@v1', 'create a@v2', 'dispose a@v2 evicted']);
  authenticated.resolve(true);
  await response;
  expect(served).toEqual(['a@v2#2']);
  lease.release();
  await h.registry.close();
});
