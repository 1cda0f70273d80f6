import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, webhookHarness } from '../support/webhooks.js';
import type { Row } from '../support/harness.js';

test('a cold use does not wait behind reads for webhooks with unknown ids, on a store that only has get', async () => {
  const sent: string[] = [];
  const never = deferred<undefined>();
  const row: Row = { id: 'cold', version: 'v1', status: 'active', token: 't' };
  const h = webhookHarness({
    store: {
      get: async (id) => {
        sent.push(id);
        return id === 'cold' ? row : never.promise;
      },
    },
  });
  const flood = Array.from({ length: 500 }, (_, index) => h.registry.handleWebhook(`unknown-${index}`, post()));
  await h.settle();
  const before = sent.length;
  expect(before).toBeLessThan(64);
  expect(await h.registry.use('cold', ({ name }) => name)).toBe('cold@v1#0');
  expect(sent.slice(before)).toEqual(['cold']);
  await h.clock.advance(60_000);
  expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([503]));
});

test('a use that needs the same row as a webhook moves that read out of the lane of unknown ids', async () => {
  const sent: string[] = [];
  const never = deferred<undefined>();
  const h = webhookHarness({ store: { get: (id) => { sent.push(id); return never.promise; } } });
  for (let index = 0; index < 100; index += 1) void h.registry.handleWebhook(`c${index}`, post());
  await h.settle();
  expect(sent).not.toContain('c99');
  h.registry.use('c99', () => {}).catch(() => {});
  await h.settle();
  expect(sent.at(-1)).toBe('c99');
  await h.clock.advance(60_000);
});
