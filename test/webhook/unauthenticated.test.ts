import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, seen, webhookHarness } from '../support/webhooks.js';

const OVERLOADED = { status: 503, code: 'OVERLOADED', retryAfter: '1' };

describe('deliveries that are not authenticated yet', () => {
  test('are capped: one more is answered at once, without a call or a read', async () => {
    let asked = 0;
    const h = webhookHarness({ webhook: { maxUnauthenticated: 3, respondToFailure: () => { asked += 1; return undefined; } } });
    h.rows.put('a');
    h.rows.hold();
    const waiting = Array.from({ length: 3 }, () => h.registry.handleWebhook('a', post()));
    await h.settle();
    expect(await seen(await h.registry.handleWebhook('b', post()))).toEqual(OVERLOADED);
    expect({ asked, reads: h.rows.reads }).toEqual({ asked: 0, reads: ['a'] });
    expect(h.eventsOf('webhookFailed').map(({ id, error }) => ({ id, code: error.code as string }))).toEqual([
      { id: 'b', code: 'OVERLOADED' },
    ]);

    h.rows.letAllGo();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
  });

  test('give up their place when they are authenticated, however long they are served', async () => {
    const work = deferred();
    const h = webhookHarness({
      webhook: { maxUnauthenticated: 1 },
      factory: { handleWebhook: () => work.promise.then(() => new Response()) },
    });
    h.rows.put('a');
    const served = [h.registry.handleWebhook('a', post())];
    await h.settle();
    served.push(h.registry.handleWebhook('a', post()));
    await h.settle();
    work.resolve();
    expect((await Promise.all(served)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test.each(['the store', 'the vault', 'authenticate'])(
    'give up their place when the sender leaves while %s is slow, and nothing more is called',
    async (slow) => {
      const gate = deferred<any>();
      const calls: string[] = [];
      const h = webhookHarness({
        webhook: { maxUnauthenticated: 1 },
        factory: {
          secrets: () => {
            calls.push('secrets');
            return slow === 'the vault' ? gate.promise : 's';
          },
          authenticate: (_request, { signal }) => {
            calls.push('authenticate');
            if (slow !== 'authenticate') return true;
            return new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason as Error));
            });
          },
        },
      });
      h.rows.put('a');
      if (slow === 'the store') h.rows.hold();
      const sender = new AbortController();
      const delivery = h.registry.handleWebhook('a', post('x', { signal: sender.signal }));
      await h.settle();
      sender.abort();
      await h.settle();
      expect(await seen(await delivery)).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
      const before = [...calls];
      gate.resolve('s');
      if (slow === 'the store') h.rows.letAllGo();
      await h.settle();
      expect(calls).toEqual(before);
      expect(h.registry.snapshot()).toMatchObject({ live: 0, hydrating: 0 });
    },
  );

  test('the delivery of a sender that leaves after authentication is served to the end', async () => {
    const h = webhookHarness();
    h.rows.put('a');
    const gate = h.holdCreate();
    const sender = new AbortController();
    const delivery = h.registry.handleWebhook('a', post('x', { signal: sender.signal }));
    await h.settle();
    sender.abort();
    await h.settle();
    gate.resolve();
    await h.settle();
    expect((await delivery).status).toBe(200);
  });

  test('an id of a million characters reaches neither the pattern nor an event in full', async () => {
    let longest = 0;
    const connectionId = /x/;
    connectionId.test = (id: string) => { longest = Math.max(longest, id.length); return true; };
    const h = webhookHarness({ webhook: { connectionId } });
    expect((await h.registry.handleWebhook('x'.repeat(1_000_000), post())).status).toBe(404);
    expect({ longest, shown: (h.eventsOf('webhookFailed')[0] as { id: string }).id.length }).toEqual({
      longest: 0,
      shown: 1_024,
    });
  });
});
