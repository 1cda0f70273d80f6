import { expect, test } from 'vitest';
import { MemoryStore } from 'hydrant';
import { ManualClock, ScriptedStore, settle } from 'hydrant/testing';
import { createBots } from '../app/bots.mjs';
import { fakeBot } from './fakes.mjs';

const records = [{ id: 'acme', token: 't1' }];
const message = (token) =>
  new Request('http://test/', { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: '{"from":"ada"}' });

test('an unused bot is closed after ten minutes, without a test that waits for them', async () => {
  const clock = new ManualClock();
  const bot = fakeBot();
  const bots = createBots({ store: new MemoryStore(records), clock, connect: async () => bot });
  await bots.use('acme', (acme) => acme.send('ada', 'hi'));
  await clock.advance(599_999);
  expect(bot.isClosed).toBe(false);
  await clock.advance(1);
  expect(bot.isClosed).toBe(true);
  await bots.close();
});

test('a bot whose connection closes is not used again', async () => {
  const made = [];
  const bots = createBots({
    store: new MemoryStore(records),
    failureBackoff: { initialMs: 0, maxMs: 0 }, // no pause before the next attempt
    connect: async () => { const bot = fakeBot(); made.push(bot); return bot; },
  });
  await bots.use('acme', () => {});
  made[0].emit('close', new Error('reset'));
  await bots.use('acme', (acme) => acme.send('ada', 'hi'));
  expect(made.map(({ sent }) => sent)).toEqual([[], ['ada: hi']]);
  await bots.close();
});

test('bots go on while the database is away for a moment', async () => {
  const clock = new ManualClock();
  const store = new ScriptedStore({ records, clock });
  const bots = createBots({ store, clock, staleIfErrorMs: 30_000, connect: async () => fakeBot() });
  bots.on('storeFailed', () => {}); // otherwise it is written to the console
  await bots.use('acme', () => {});
  store.behave({ fail: new Error('connection refused') });
  expect(await bots.use('acme', () => 'served')).toBe('served');
  await clock.advance(31_000);
  await expect(bots.use('acme', () => 'served')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await bots.close();
});

test('a message that comes while the bot is still connecting waits for it, and a forged one does not connect it', async () => {
  /** @type {((bot: any) => void)[]} */
  const waiting = [];
  const bots = createBots({
    store: new MemoryStore(records),
    connect: () => new Promise((resolve) => { waiting.push(resolve); }),
  });
  expect((await bots.handleWebhook('acme', message('a guess'))).status).toBe(401);
  expect(waiting).toEqual([]);
  const response = bots.handleWebhook('acme', message('t1'));
  await settle();
  const bot = fakeBot();
  waiting[0]?.(bot);
  expect([(await response).status, bot.sent]).toEqual([204, ['ada: Got it.']]);
  await bots.close();
});
