import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test.each([0, 600_000])(
  'with staleIfErrorMs %d, a sweep stops after its first thousand rows if the store does not answer',
  async (staleIfErrorMs) => {
    const h = new Harness({ staleIfErrorMs, maxInstances: 5_000, freshness: { maxStaleMs: 1e9 }, idleTimeoutMs: Infinity });
    for (let id = 0; id < 1_500; id += 1) {
      h.rows.put(`c${id}`);
      await h.registry.use(`c${id}`, () => 1);
    }
    h.rows.reads.length = 0;
    h.rows.failure = new Error('down');
    await h.clock.advance(60_000);
    for (let turn = 0; turn < 5; turn += 1) await h.settle();
    expect(h.rows.reads).toHaveLength(1_000);
  },
);
