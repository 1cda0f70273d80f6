import { expect, test } from 'vitest';
import { post, seen, webhookHarness } from '../support/webhooks.js';

test.each([undefined, null])('a Request whose signal is %s is served', async (signal) => {
  let hasSignal = false;
  const h = webhookHarness({
    factory: {
      authenticate: async (request, context) => request.signal instanceof AbortSignal && !context.signal.aborted,
      handleWebhook: async (_instance, request) => {
        hasSignal = request.signal instanceof AbortSignal && !request.signal.aborted;
        return new Response(await request.text());
      },
    },
  });
  h.rows.put('a');
  const request = Object.defineProperty(post('text'), 'signal', { value: signal });
  expect(await seen(await h.registry.handleWebhook('a', request))).toEqual({ status: 200, body: 'text' });
  expect(hasSignal).toBe(true);
});
