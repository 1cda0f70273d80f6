import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, seen, webhookHarness } from '../support/webhooks.js';

/** A delivery that is authenticated a second time, under its lease, because the row was edited after the first time. */
async function authenticatedAgain(drainTimeoutMs: number) {
  const verdicts = [deferred<boolean>(), deferred<boolean>()] as const;
  const served: string[] = [];
  let asked = 0;
  const h = webhookHarness({
    drainTimeoutMs,
    factory: {
      authenticate: () => verdicts[asked++]!.promise,
      handleWebhook: ({ name }) => {
        served.push(name);
        return new Response();
      },
    },
  });
  h.rows.put('a');
  const response = h.registry.handleWebhook('a', post());
  await h.settle();
  h.rows.put('a');
  await h.registry.use('a', () => {});
  verdicts[0].resolve(true);
  await h.settle();
  expect(asked).toBe(2);
  return { h, response, served, verdict: verdicts[1] };
}

test('a webhook is not handled by an instance whose drain deadline passes while it is authenticated again', async () => {
  const { h, response, served, verdict } = await authenticatedAgain(1_000);
  h.registry.invalidate('a');
  await h.clock.advance(1_000);
  expect(h.log).toEqual(['create a@v2', 'dispose a@v2 invalidated']);
  verdict.resolve(true);
  expect(await seen(await response)).toEqual({ status: 503, code: 'ACQUIRE_TIMEOUT', retryAfter: '1' });
  expect(served).toEqual([]);
});

test('a webhook is not handled by an instance that close disposed of: it fails with REGISTRY_CLOSED', async () => {
  const { h, response, served, verdict } = await authenticatedAgain(Infinity);
  await Promise.all([h.registry.close({ drainTimeoutMs: 0 }), h.settle()]);
  verdict.resolve(true);
  expect(await seen(await response)).toMatchObject({ status: 503, code: 'REGISTRY_CLOSED' });
  expect(served).toEqual([]);
});
