import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';

test('a webhook that was being authenticated when its connection was found to be stopped does not bring it back to life', async () => {
  const verdict = deferred<boolean>();
  const h = new Harness({
    sweepIntervalMs: 0,
    factory: { authenticate: () => verdict.promise, handleWebhook: () => new Response() },
  });
  h.rows.put('a');
  const response = h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  await h.settle();
  await h.clock.advance(5);
  h.rows.stop('a');
  await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'CONNECTION_STOPPED' });
  await h.clock.advance(5);

  verdict.resolve(true);
  expect((await response).status).toBe(404);
  expect(h.log).toEqual([]);
  expect(h.rows.reads).toHaveLength(3);
});
