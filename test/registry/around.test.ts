import { AsyncLocalStorage } from 'node:async_hooks';
import type { HydrationContext } from 'hydrant';
import { expect, test } from 'vitest';
import { Harness, type Row } from '../support/harness.js';
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

test('around wraps every factory call, so that none runs in the context of the first caller', async () => {
  const context = new AsyncLocalStorage<string>();
  const seen: string[] = [];
  const note = (what: string): void => { seen.push(`${what} ${context.getStore()}`); };
  const h: Harness = new Harness({
    around: (row, work) => context.run(`of ${row.id}`, work),
    factory: {
      secrets: async () => {
        await Promise.resolve();
        note('secrets');
        return 1;
      },
      create: async (row: Row, given: HydrationContext) => {
        await Promise.resolve();
        note('create');
        return h.create(row, given);
      },
      dispose: async () => {
        await Promise.resolve();
        note('dispose');
      },
      authenticate: async () => {
        await Promise.resolve();
        note('authenticate');
        return true;
      },
      handleWebhook: async () => {
        note('handleWebhook');
        return new Response();
      },
    },
  });
  h.rows.put('a');
  await context.run('the caller', () => h.registry.handleWebhook('a', new Request('http://x/', { method: 'POST', body: 'x' })));
  await context.run('another caller', () => h.registry.close());
  expect(seen).toEqual(['secrets of a', 'authenticate of a', 'create of a', 'handleWebhook of a', 'dispose of a']);
});
