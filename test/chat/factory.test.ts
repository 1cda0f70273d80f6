import { createMemoryState } from '@chat-adapter/state-memory';
import { afterEach, describe, expect, test } from 'vitest';
import { ConnectionRegistry, factoryByPlatform, MemoryStore, type ConnectionRecord } from 'hydrant';
import { chatFactory, currentConnection } from 'hydrant/chat';
import {
  adaptersOf,
  botsOver,
  deliver,
  fromTelegram,
  secretOf,
  silent,
  slashCommand,
  type Bot,
  type BotRecord,
  type Bots,
} from './support/bots.js';
import { fakeVendors } from './support/vendors.js';

const vendors = fakeVendors();
const { slackBot, telegramBot } = vendors;

let bots: Bots;
afterEach(async () => {
  await (bots as Bots | undefined)?.registry.close();
});

describe('a delivery', () => {
  test('reaches the handler once, which finds the current connection', async () => {
    bots = botsOver([slackBot('s'), telegramBot('t')]);
    await deliver(bots, 's', slashCommand(secretOf('s'), { text: 'to s' }));
    await deliver(bots, 't', fromTelegram(secretOf('t'), 'to t'));
    expect(bots.heard).toEqual(['s: to s', 't: to t']);
    expect(vendors.slack.messages.map(({ text, token }) => ({ text, token }))).toEqual([{ text: 'pong', token: 'xoxb-s' }]);
    expect(() => currentConnection()).toThrow(/outside of a handler/);
  });

  test('that no adapter of the bot is found for is answered with 500, and told, instead of getting an empty 404', async () => {
    const own = { name: 'own', initialize: async () => {}, handleWebhook: async () => new Response() };
    const options = {
      state: createMemoryState(),
      adapters: (record: BotRecord) => ({ ...adaptersOf(record), own }),
      config: () => ({ logger: 'silent' }),
    };
    const outcome = async (factory: ReturnType<typeof chatFactory<BotRecord>>): Promise<unknown> => {
      const registry = new ConnectionRegistry({ store: new MemoryStore<Bot>([slackBot('s')]), factory });
      const told: unknown[] = [];
      registry.on('webhookFailed', ({ error }) => { told.push(error.code, (error.cause as Error | undefined)?.message); });
      const { status } = await registry.handleWebhook('s', new Request('https://gateway', { method: 'POST', body: '{}' }));
      await registry.close();
      return { status, told };
    };
    expect(await outcome(chatFactory(options))).toEqual({ status: 401, told: ['UNAUTHENTICATED', undefined] });
    expect(await outcome({ ...chatFactory(options), authenticate: async () => true })).toEqual({
      status: 500,
      told: ['HANDLER_FAILED', "connection 's' has no adapter for this delivery"],
    });
  });

  test('that is repeated is handled once, also by the next instance', async () => {
    bots = botsOver([telegramBot('t')]);
    await deliver(bots, 't', fromTelegram(secretOf('t'), 'once', 900));
    await bots.registry.invalidate('t');
    await deliver(bots, 't', fromTelegram(secretOf('t'), 'once', 900));
    expect({ heard: bots.heard, creates: bots.creates() }).toEqual({ heard: ['t: once'], creates: 2 });
  });

  test('causes no vendor call at start if the row holds the data that the SDK would fetch', async () => {
    bots = botsOver([slackBot('s'), telegramBot('t')]);
    await bots.registry.use('s', () => {});
    await bots.registry.use('t', () => {});
    expect({ slack: [...vendors.slack.calls], telegram: vendors.telegram.calls }).toEqual({ slack: [], telegram: [] });
  });

  test('holds the instance until its handler has ended', async () => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => { finish = resolve; });
    let heard = (): void => {};
    const hears = new Promise<void>((resolve) => { heard = resolve; });
    bots = botsOver([telegramBot('t')], { setup: (chat) => { chat.onDirectMessage(async () => { heard(); await finished; }); } });
    const response = await bots.registry.handleWebhook('t', fromTelegram(secretOf('t'), 'slow'));
    await hears;
    const leased = bots.registry.snapshot().leased;
    finish();
    await bots.registry.close();
    expect({ status: response.status, leased }).toEqual({ status: 200, leased: 1 });
  });
});

test('an adapter that polls finds the current connection, as its handlers do', async () => {
  const found: string[] = [];
  const poller = {
    name: 'custom',
    initialize: async () => { setImmediate(() => { found.push(currentConnection().id); }); },
    handleWebhook: async () => new Response(),
  };
  bots = botsOver([slackBot('s')], { adapters: () => ({ poller }) });
  await bots.registry.use('s', () => {});
  await new Promise(setImmediate);
  expect(found).toEqual(['s']);
});

describe('one bot ends and the others go on', () => {
  test('with one shared state, which no bot disconnects', async () => {
    const state = createMemoryState();
    bots = botsOver([telegramBot('a'), telegramBot('b')], { state });
    for (const id of ['a', 'b']) await deliver(bots, id, fromTelegram(secretOf(id), 'before'));
    await bots.registry.invalidate('b');
    const status = (await deliver(bots, 'a', fromTelegram(secretOf('a'), 'after'))).status;
    await state.set('mine', 1);
    expect({ status, heard: bots.heard, mine: await state.get('mine') })
      .toEqual({ status: 200, heard: ['a: before', 'b: before', 'a: after'], mine: 1 });
  });
});

describe('the factory', () => {
  test('passes the secrets of a row to its adapters, configuration and handlers, and verifies with them', async () => {
    const { createSlackAdapter } = await import('@chat-adapter/slack');
    const vault: Record<string, string> = { s: 'in the vault' };
    const seen: string[] = [];
    const store = new MemoryStore([{ id: 's', apiUrl: vendors.slack.url }]);
    const factory = chatFactory({
      state: createMemoryState(),
      secrets: async ({ id }: { id: string; apiUrl: string } & ConnectionRecord) => vault[id] ?? '',
      adapters: ({ apiUrl }, { secrets }) =>
        ({ slack: createSlackAdapter({ signingSecret: secrets, botToken: 'xoxb-1', botUserId: 'U1', apiUrl, logger: silent }) }),
      config: (_record, { secrets }) => { seen.push(`config: ${secrets}`); return { logger: 'silent' }; },
      setup: (_chat, _record, { secrets }) => { seen.push(`setup: ${secrets}`); },
      replacement: 'drain-first',
      maxConcurrentHydrations: 3,
    });
    const registry = new ConnectionRegistry({ store, factory });
    bots = { registry, heard: [], creates: () => 0, store } as unknown as Bots;
    const send = async (secret: string): Promise<number> => (await registry.handleWebhook('s', slashCommand(secret))).status;
    const before = [await send('a guess'), await send('in the vault')];
    vault['s'] = 'rotated';
    await registry.invalidate('s');
    const after = [await send('in the vault'), await send('rotated')];
    expect({ before, after, seen, replacement: factory.replacement, permits: factory.maxConcurrentHydrations }).toEqual({
      before: [401, 200],
      after: [401, 200],
      seen: ['config: in the vault', 'setup: in the vault', 'config: rotated', 'setup: rotated'],
      replacement: 'drain-first',
      permits: 3,
    });
  });

  test('is one of several under factoryByPlatform, and each verifies its own deliveries', async () => {
    const rows = [slackBot('s'), telegramBot('t')];
    const one = () => chatFactory({
      state: createMemoryState(), adapters: (record: BotRecord) => adaptersOf(record), config: () => ({ logger: 'silent' }),
    });
    const factory = factoryByPlatform('platform', { slack: one(), telegram: one() } as never);
    const registry = new ConnectionRegistry({ store: new MemoryStore<Bot>(rows), factory: factory as never });
    bots = { registry } as unknown as Bots;
    const status = async (id: string, request: Request): Promise<number> =>
      (await registry.handleWebhook(id, request)).status;
    expect({
      slack: await status('s', slashCommand(secretOf('s'))),
      telegramToSlack: await status('s', fromTelegram(secretOf('t'), 'hi')),
      telegram: await status('t', fromTelegram(secretOf('t'), 'hi')),
      slackToTelegram: await status('t', slashCommand(secretOf('s'))),
    }).toEqual({ slack: 200, telegramToSlack: 401, telegram: 200, slackToTelegram: 401 });
  });
});
