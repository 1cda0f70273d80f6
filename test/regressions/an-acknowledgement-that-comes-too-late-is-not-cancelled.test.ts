import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, webhookHarness } from '../support/webhooks.js';

test('an acknowledgement that comes after the answer is cancelled', async () => {
  let cancelled = false;
  const late = deferred<Response>();
  const work = deferred();
  const h = webhookHarness({ factory: {
    handleWebhook: async () => { await work.promise; return new Response('x'); },
    acknowledge: { afterMs: 10, respond: () => late.promise },
  } });
  h.rows.put('a');
  const answered = h.registry.handleWebhook('a', post());
  await h.settle();
  await h.clock.advance(10);
  work.resolve();
  await answered;
  late.resolve(new Response(new ReadableStream({ cancel() { cancelled = true; } })));
  await h.settle();
  await new Promise(setImmediate);
  expect(cancelled).toBe(true);
});
