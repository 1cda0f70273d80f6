import { expect, test } from 'vitest';
import type { StoreListener } from 'hydrant';
import { Harness, Rows } from '../support/harness.js';

const request = (): Request => new Request('http://gateway.test/a', { method: 'POST' });

function bench(): { h: Harness; rows: Rows; listener: () => StoreListener } {
  let listener!: StoreListener;
  const rows = new Rows();
  const h = new Harness({
    freshness: { maxStaleMs: 60_000 }, sweepIntervalMs: 0,
    store: {
      get: (id) => rows.get(id),
      watch: async (one) => { listener = one; one.gap(); return { async [Symbol.asyncDispose]() {} }; },
    },
    factory: { authenticate: () => true, handleWebhook: () => new Response('ok') },
  });
  return { h, rows, listener: () => listener };
}

test('after a gap, with the store down, a webhook to a live connection is served like a use', async () => {
  const { h, rows, listener } = bench();
  await h.clock.advance(1_000);
  rows.put('a');
  await h.registry.use('a', () => {});
  await h.clock.advance(10);
  rows.failure = new Error('down');
  listener().gap();
  await h.settle();
  await h.registry.use('a', () => {});
  expect((await h.registry.handleWebhook('a', request())).status).toBe(200);
});

test('after a gap whose sweep has confirmed the row, a webhook costs no read', async () => {
  const { h, rows, listener } = bench();
  await h.clock.advance(1_000);
  rows.put('a');
  await h.registry.use('a', () => {});
  await h.clock.advance(10);
  listener().gap();
  await h.settle();
  await h.clock.advance(10);
  const before = rows.reads.length;
  expect((await h.registry.handleWebhook('a', request())).status).toBe(200);
  expect(rows.reads.length - before).toBe(0);
});

test('a hint does not make a webhook fail where a use is served', async () => {
  const statuses: number[] = [];
  for (const other of [false, true]) {
    const { h, rows, listener } = bench();
    await h.clock.advance(1_000);
    rows.put('a');
    await h.registry.use('a', () => {});
    await h.clock.advance(10);
    if (other)
      void h.registry.handleWebhook(
        'b',
        new Request('http://gateway.test/b', { method: 'POST', body: new ReadableStream(), duplex: 'half' } as RequestInit),
      );
    if (other) rows.put('b');
    await h.settle();
    rows.failure = new Error('down');
    listener().changed(['a']);
    await h.settle();
    await h.registry.use('a', () => {});
    statuses.push((await h.registry.handleWebhook('a', request())).status);
  }
  expect(statuses).toEqual([200, 200]);
});

test('an invalidate of another connection does not make a webhook in flight read the store', async () => {
  const { h, rows } = bench();
  rows.put('a');
  rows.put('b');
  await h.registry.use('a', () => {});
  await h.registry.use('b', () => {});
  const answered = h.registry.handleWebhook('a', request());
  h.registry.invalidate('b');
  rows.failure = new Error('down');
  expect((await answered).status).toBe(200);
});
