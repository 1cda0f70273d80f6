import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';

test("'staleIfErrorMs' lets a live instance serve a webhook, but hydrates nothing from its old row", async () => {
  const late = deferred<boolean>();
  const verdicts = [Promise.resolve(true), late.promise];
  let asked = 0;
  const h = new Harness({
    staleIfErrorMs: 30_000,
    failureBackoff: { initialMs: 0, maxMs: 0 },
    factory: { authenticate: () => verdicts[asked++]!, handleWebhook: () => new Response() },
  });
  const deliver = () => h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  h.rows.put('a');
  expect((await deliver()).status).toBe(200);
  await h.clock.advance(1_000);

  h.rows.failure = new Error('the database is away');
  const response = deliver();
  await h.settle();
  h.contexts[0]!.retire(new Error('socket closed'));
  await h.clock.advance(10_000);
  late.resolve(true);
  expect((await response).status).toBe(503);
  expect(h.creates).toBe(1);
});
