import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import type { Harness } from '../support/harness.js';
import { post, seen, webhookHarness } from '../support/webhooks.js';

/** Calls of `secrets` that run at a time for one factory. */
const PLACES = 64;

const ids = (kind: string, count = PLACES): string[] => Array.from({ length: count }, (_, index) => `${kind}${index}`);

interface Sender { leave(): void; readonly answer: Promise<Response> }

function send(h: Harness, id: string): Sender {
  const sender = new AbortController();
  return {
    leave: () => sender.abort(),
    answer: h.registry.handleWebhook(id, post('x', { secret: 'forged', signal: sender.signal })),
  };
}

/** A gateway whose vault answers when it is told to. */
function gateway(maxUnauthenticated = 2_000): { h: Harness; asked: string[]; vault: ReturnType<typeof deferred<string>> } {
  const asked: string[] = [];
  const vault = deferred<string>();
  const h = webhookHarness({
    acquireTimeoutMs: 60_000,
    hydrationTimeoutMs: 120_000,
    webhook: { maxUnauthenticated },
    factory: { secrets: ({ id }) => { asked.push(id); return vault.promise; } },
  });
  return { h, asked, vault };
}

test('no secrets are requested for senders that left while queued', async () => {
  const { h, asked, vault } = gateway();
  for (const id of [...ids('running'), ...ids('waiting'), 'patient', 'shared']) h.rows.put(id);
  const running = ids('running').map((id) => send(h, id));
  await h.settle();
  const waiting = [...ids('waiting'), 'shared'].map((id) => send(h, id));
  const patient = [send(h, 'patient'), send(h, 'shared')];
  await h.settle();
  for (const sender of waiting) sender.leave();
  vault.resolve('secret');
  await Promise.all([...running, ...waiting, ...patient].map(({ answer }) => answer));
  expect(asked).toEqual([...ids('running'), 'shared', 'patient']);
});

test('no secrets are requested for deliveries that time out while queued', async () => {
  const { h, asked, vault } = gateway();
  for (const id of [...ids('running'), 'waiting']) h.rows.put(id);
  const all = [...ids('running'), 'waiting'].map((id) => send(h, id));
  await h.settle();
  await h.clock.advance(60_000);
  expect(await seen(await all.at(-1)!.answer)).toMatchObject({ status: 503, code: 'ACQUIRE_TIMEOUT' });
  vault.resolve('secret');
  await h.settle();
  expect(asked).not.toContain('waiting');
});

test('calls still running for senders that left count as unauthenticated deliveries', async () => {
  const { h, vault } = gateway(2);
  for (const id of ['a', 'b', 'c']) h.rows.put(id);
  const left = ['a', 'b'].map((id) => send(h, id));
  await h.settle();
  for (const { leave } of left) leave();
  await h.settle();
  expect(await seen(await send(h, 'c').answer)).toMatchObject({ status: 503, code: 'OVERLOADED' });
  vault.resolve('secret');
  await h.settle();
  expect(await seen(await send(h, 'c').answer)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
});

test('a call that another delivery joins counts once', async () => {
  const { h, vault } = gateway(2);
  for (const id of ['a', 'b']) h.rows.put(id);
  for (let again = 0; again < 5; again += 1) {
    const sender = send(h, 'a');
    await h.settle();
    sender.leave();
    await h.settle();
  }
  const other = send(h, 'b');
  await h.settle();
  vault.resolve('secret');
  expect((await other.answer).status).toBe(401);
});

test.each(['unknown', 'new'])('queued reads of senders that left count until they are dropped, for %s ids', async (which) => {
  const h = webhookHarness({ webhook: { maxUnauthenticated: 40 }, storeTimeoutMs: 1_000 });
  h.rows.hold();
  const idOf = (index: number): string => (which === 'new' ? `u${index}` : 'u');
  const left = Array.from({ length: 40 }, (_, index) => send(h, idOf(index)));
  await h.settle();
  for (const { leave } of left) leave();
  await h.settle();
  expect(await seen(await send(h, 'more').answer)).toMatchObject({ code: 'OVERLOADED' });
  await h.clock.advance(1_000);
  h.rows.letAllGo();
  await h.settle();
  expect(await seen(await send(h, 'more').answer)).toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
});

test('a hydrate neither waits for a call caused by an unauthenticated sender nor fails with it', async () => {
  const stuck = deferred<string>();
  const asked: string[] = [];
  const h = webhookHarness({
    hydrationTimeoutMs: 1_000,
    factory: { secrets: ({ id }) => { asked.push(id); return asked.length === 1 ? stuck.promise : 'secret'; } },
  });
  h.rows.put('a');
  const stranger = send(h, 'a');
  await h.settle();
  expect(await h.registry.use('a', ({ name }) => name)).toBe('a@v1#0');
  expect(asked).toEqual(['a', 'a']);
  stuck.reject(new Error('vault down'));
  await stranger.answer;
  expect(await h.registry.use('a', ({ name }) => name)).toBe('a@v1#0');
});
