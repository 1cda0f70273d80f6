import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, webhookHarness } from '../support/webhooks.js';

const open = () => {
  const [senders, hydrates] = [deferred<string>(), deferred<string>()];
  const answers = [senders, hydrates];
  let calls = 0;
  const h = webhookHarness({
    failureBackoff: { initialMs: 0, maxMs: 0 },
    factory: { secrets: () => answers[calls++]?.promise ?? 'secret' },
  });
  h.rows.put('a');
  return { h, senders, hydrates, calls: () => calls };
};

/** All places are taken by slow calls for other connections, so the next sender's call waits in the queue. */
const openBusy = (places: number) => {
  const [vaults, hydrates] = [deferred<string>(), deferred<string>()];
  let calls = 0;
  const h = webhookHarness({
    failureBackoff: { initialMs: 0, maxMs: 0 },
    factory: { secrets: ({ id }) => (id !== 'a' ? vaults.promise : calls++ === 0 ? hydrates.promise : 'secret') },
  });
  for (let n = 0; n < places; n += 1) {
    h.rows.put(`busy${n}`);
    void h.registry.handleWebhook(`busy${n}`, post());
  }
  h.rows.put('a');
  return { h, vaults, hydrates };
};

test('senders share the running call of secrets of another sender, although a hydrate called meanwhile and failed', async () => {
  const { h, senders, hydrates, calls } = open();
  const first = h.registry.handleWebhook('a', post());
  await h.settle();
  const use = h.registry.use('a', () => {});
  await h.settle();
  hydrates.reject(new Error('vault sealed'));
  await expect(use).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
  const second = h.registry.handleWebhook('a', post());
  await h.settle();
  expect(calls()).toBe(2);
  senders.resolve('secret');
  for (const delivery of [first, second]) expect((await delivery).status).toBe(200);
});

test('an invalidate makes the next sender ask anew, although calls for a sender and for a hydrate run', async () => {
  const { h, senders, hydrates, calls } = open();
  const first = h.registry.handleWebhook('a', post());
  await h.settle();
  const use = h.registry.use('a', () => {});
  await h.settle();
  const refused = expect(use).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
  void h.registry.invalidate('a');
  hydrates.reject(new Error('vault sealed'));
  const second = h.registry.handleWebhook('a', post());
  await h.settle();
  expect(calls()).toBe(3);
  expect((await second).status).toBe(200);
  senders.resolve('secret');
  await Promise.all([first, refused]);
});

test('a sender is answered although another one left the queue for secrets while a hydrate called them and failed', async () => {
  const PLACES = 64;
  const { h, hydrates, vaults } = openBusy(PLACES);
  const leaving = new AbortController();
  const left = h.registry.handleWebhook('a', post('x', { signal: leaving.signal }));
  await h.settle();
  const use = h.registry.use('a', () => {});
  await h.settle();
  leaving.abort();
  expect((await left).status).toBe(401);
  hydrates.reject(new Error('vault sealed'));
  await expect(use).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
  const next = h.registry.handleWebhook('a', post());
  vaults.resolve('secret');
  expect((await next).status).toBe(200);
});
