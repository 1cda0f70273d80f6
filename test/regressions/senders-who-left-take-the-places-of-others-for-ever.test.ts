import { expect, test } from 'vitest';
import { post, webhookHarness } from '../support/webhooks.js';

/** Queries of rows that run at a time, if the store reads one row per query. */
const QUERIES = 32;
const LEFT = 3;

test('a sender that leaves before its row is asked for gives up its place', async () => {
  const h = webhookHarness({ webhook: { maxUnauthenticated: QUERIES + LEFT } });
  const deliver = (kind: string, count: number, signal: AbortSignal | null = null): Promise<Response>[] =>
    Array.from({ length: count }, (_, n) => {
      h.rows.put(`${kind}${n}`);
      return h.registry.handleWebhook(`${kind}${n}`, post('x', { signal }));
    });
  h.rows.hold();
  const served = deliver('served', QUERIES);
  await h.settle();
  const sender = new AbortController();
  const left = deliver('left', LEFT, sender.signal);
  await h.settle();
  sender.abort();
  h.rows.letAllGo();
  expect((await Promise.all(left)).map(({ status }) => status)).toEqual(Array<number>(LEFT).fill(401));
  await Promise.all(served);
  expect(h.rows.reads.filter((id) => id.startsWith('left'))).toEqual([]);

  const more = await Promise.all(deliver('more', QUERIES + LEFT));
  expect(more.map(({ status }) => status)).toEqual(Array<number>(QUERIES + LEFT).fill(200));
});
