import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';

/** Webhooks 900084063 of the long simulation: the instance kept the age of the older read, and a use failed needlessly. */
test('an instance made for a webhook is as fresh as the last read of its row, not as the read of that webhook', async () => {
  const slow = deferred<boolean>();
  const verdicts = [slow.promise, Promise.resolve(false)];
  const h = new Harness({ factory: { authenticate: () => verdicts.shift()!, handleWebhook: () => new Response() } });
  const deliver = () => h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  h.rows.put('a');
  const response = deliver();
  await h.clock.advance(600);
  expect((await deliver()).status).toBe(401);
  expect(h.rows.reads).toEqual(['a', 'a']);
  slow.resolve(true);
  expect((await response).status).toBe(200);

  h.rows.failure = new Error('the database is away');
  await h.clock.advance(600);
  await h.registry.use('a', () => {}, { freshness: { maxStaleMs: 1_000 } });
  expect(h.rows.reads).toEqual(['a', 'a']);
});
