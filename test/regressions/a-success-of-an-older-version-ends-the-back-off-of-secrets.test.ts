import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, seen, webhookHarness } from '../support/webhooks.js';

test('late secrets of an older version do not end the back-off of the newer one', async () => {
  const calls: { version: string; answer: ReturnType<typeof deferred<string>> }[] = [];
  const h = webhookHarness({
    failureBackoff: { initialMs: 5_000, maxMs: 5_000 },
    factory: {
      secrets: ({ version }) => {
        const answer = deferred<string>();
        calls.push({ version, answer });
        return answer.promise;
      },
    },
  });
  h.rows.put('a');
  const first = h.registry.handleWebhook('a', post('x', { secret: 'forged' }));
  await h.settle();
  h.rows.put('a');
  const second = h.registry.handleWebhook('a', post('x', { secret: 'forged' }));
  await h.settle();
  calls[1]!.answer.reject(new Error('vault'));
  await h.settle();
  expect((await seen(await second)).code).toBe('HYDRATION_FAILED');
  calls[0]!.answer.resolve('old');
  await h.settle();
  await first;
  void h.registry.handleWebhook('a', post('x', { secret: 'forged' }));
  await h.settle();
  expect(calls.map(({ version }) => version)).toEqual(['v1', 'v2']);
});
