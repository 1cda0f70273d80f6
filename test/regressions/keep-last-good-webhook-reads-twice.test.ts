import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test('a webhook to the last good instance of a row that does not parse costs one row read', async () => {
  const h = new Harness({ keepLastGood: true, factory: { authenticate: () => true, handleWebhook: () => new Response('ok') } });
  h.rows.put('a');
  await h.registry.use('a', () => {});
  h.rows.put('a', { status: 'broken' as never });
  await h.clock.advance(10);
  const before = h.rows.reads.length;
  const response = await h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  expect(response.status).toBe(200);
  expect(h.rows.reads.length - before).toBe(1);
});

test('it does not count as a check of the last good version', async () => {
  const h = new Harness({
    keepLastGood: true,
    staleIfErrorMs: 30,
    factory: { authenticate: () => true, handleWebhook: () => new Response('ok') },
  });
  h.rows.put('a');
  await h.registry.use('a', () => {});
  h.rows.put('a', { status: 'broken' as never });
  await h.clock.advance(20);
  expect((await h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }))).status).toBe(200);
  h.rows.failure = new Error('down');
  await h.clock.advance(20);
  await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});
