import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';
import { post, webhookHarness } from '../support/webhooks.js';

test('around surrounds each call of the factory, with the row it is for', async () => {
  const log: string[] = [];
  const h = webhookHarness({
    around: (row, work) => { log.push(`around ${row.id}`); return work(); },
    factory: {
      secrets: () => void log.push('secrets'),
      authenticate: () => { log.push('authenticate'); return true; },
      create: (row) => { log.push('create'); return { name: '', row, disposed: undefined }; },
      handleWebhook: () => { log.push('handleWebhook'); return new Response(); },
      dispose: () => void log.push('dispose'),
    },
  });
  h.rows.put('a');
  await h.registry.handleWebhook('a', post());
  h.registry.invalidate('a');
  await h.settle();
  expect(log).toEqual(['secrets', 'authenticate', 'create', 'handleWebhook', 'dispose'].flatMap((call) => ['around a', call]));
});

test('around is not called if the factory has no function to call', async () => {
  let around = 0;
  const h = new Harness({ around: (_row, work) => { around += 1; return work(); }, factory: { dispose: undefined as never } });
  h.rows.put('a');
  await h.registry.use('a', () => {});
  h.registry.invalidate('a');
  await h.settle();
  expect(around).toBe(1);
});
