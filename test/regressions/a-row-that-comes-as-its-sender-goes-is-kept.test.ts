import { expect, test } from 'vitest';
import { post, webhookHarness } from '../support/webhooks.js';

test.each(Array.from({ length: 16 }, (_, i) => [i]))(
  'a sender that disconnects %i microtasks after its row came leaves nothing behind',
  async (ticks) => {
    const h = webhookHarness();
    h.rows.put('a');
    h.rows.hold();
    const sender = new AbortController();
    const answered = h.registry.handleWebhook('a', post('hello', { signal: sender.signal }));
    await h.settle();
    h.rows.letGo();
    for (let i = 0; i < ticks; i += 1) await Promise.resolve();
    sender.abort();
    await answered;
    await h.settle();
    const before = h.registry.snapshot().connections.filter(({ state }: any) => state !== 'idle' && state !== 'live');
    let closed = false;
    void h.registry.close().then(() => {
      closed = true;
    });
    for (let i = 0; i < 5; i += 1) await h.settle();
    expect({ closed, before }).toEqual({ closed: true, before: [] });
  },
);
