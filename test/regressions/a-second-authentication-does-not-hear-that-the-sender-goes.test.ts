import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, webhookHarness } from '../support/webhooks.js';

test('the signal of the second authenticate aborts when the sender disconnects', async () => {
  const signals: AbortSignal[] = [];
  const second = deferred<boolean>();
  const sender = new AbortController();
  const h = webhookHarness({
    factory: {
      authenticate: (_request, { signal }) => {
        signals.push(signal);
        return signals.length === 1 ? firstAuth() : second.promise;
      },
    },
  });
  const firstAuth = (): boolean => { h.rows.put('a'); void h.registry.invalidate('a'); return true; };
  h.rows.put('a');
  const answered = h.registry.handleWebhook('a', post('x', { signal: sender.signal }));
  await h.settle();
  expect(signals.length).toBe(2);
  sender.abort();
  expect(signals[1]!.aborted).toBe(true);
  second.resolve(true);
  await answered;
});
