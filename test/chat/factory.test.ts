import { createMemoryState } from '@chat-adapter/state-memory';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ConnectionRegistry, factoryByPlatform, MemoryStore, type ConnectionRecord } from 'hydrant';
import { chatFactory, currentConnection } from 'hydrant/chat';
import { startFakeSlackApi, type FakeSlackApi } from '../../examples/support/fake-slack-api.mjs';
import { startFakeTelegramApi } from '../../examples/support/fake-telegram-api.mjs';
import {
  adaptersOf,
  botsOver,
  deliver,
  fromSlack,
  fromTelegram,
  secretOf,
  silent,
  slashCommand,
  type Bot,
  type BotRecord,
  type Bots,
} from './support/bots.js';

let slackApi: FakeSlackApi;
let telegramApi: Awaited<ReturnType<typeof startFakeTelegramApi>>;
beforeAll(async () => { [slackApi, telegramApi] = await Promise.all([startFakeSlackApi(), startFakeTelegramApi()]); });
afterAll(async () => { await Promise.all([slackApi.close(), telegramApi.close()]); });

const slackBot = (id: string, botUserId: string | null = 'U1'): Bot =>
  ({ id, platform: 'slack', apiUrl: slackApi.url, ...botUserId !== null && { botUserId } });
const telegramBot = (id: string): Bot => ({ id, platform: 'telegram', apiUrl: telegramApi.url });

let bots: Bots;
afterEach(async () => {
  await (bots as Bots | undefined)?.registry.close();
  slackApi.reset();
  telegramApi.calls.length = 0;
});

describe('before anything is hydrated', () => {
  test('a forged delivery is refused: no instance, no call to a vendor', async () => {
    bots = botsOver([slackBot('s', null), telegramBot('t')]);
    const statuses = [
      (await deliver(bots, 's', slashCommand('wrong'))).status,
      (await deliver(bots, 's', new Request('https://gateway', { method: 'POST', body: '{}' }))).status,
      (await deliver(bots, 't', fromTelegram('wrong', 'hi'))).status,
    ];
    expect({ statuses, creates: bots.creates(), slack: slackApi.calls.size, telegram: telegramApi.calls.length })
      .toEqual({ statuses: [401, 401, 401], creates: 0, slack: 0, telegram: 0 });
  });

  test("Slack's url_verification is answered while cold, and a forged one is not", async () => {
    bots = botsOver([slackBot('s')]);
    const body = JSON.stringify({ type: 'url_verification', challenge: 'prove it' });
    const answer = await deliver(bots, 's', fromSlack({ secret: secretOf('s'), body }));
    const forged = await deliver(bots, 's', fromSlack({ secret: 'wrong', body }));
    expect({ challenge: await answer.json(), forged: forged.status, creates: bots.creates() })
      .toEqual({ challenge: { challenge: 'prove it' }, forged: 401, creates: 0 });
  });

  test('a new secret verifies at once, and the old one no longer does', async () => {
    let current = 'first';
    bots = botsOver([slackBot('s')], {
      adapters: async ({ apiUrl }) => {
        const { createSlackAdapter } = await import('@chat-adapter/slack');
        return { slack: createSlackAdapter({ signingSecret: current, botToken: 'xoxb-1', botUserId: 'U1', apiUrl }) };
      },
    });
    const statusOf = async (secret: string): Promise<number> => (await deliver(bots, 's', slashCommand(secret))).status;
    const before = { first: await statusOf('first'), second: await statusOf('second') };
    current = 'second';
    await bots.store.put(slackBot('s', 'U2'));
    const after = { first: await statusOf('first'), second: await statusOf('second') };
    expect({ before, after }).toEqual({ before: { first: 200, second: 401 }, after: { first: 401, second: 200 } });
  });

  test("an adapter of the application's own verifies in its handler, or on the row by an authenticate of its own", async () => {
    const line = () => ({
      name: 'line',
      initialize: async () => {},
      handleWebhook: async (request: Request) => new Response(null, { status: request.headers.has('x-line') ? 200 : 401 }),
    });
    const outcome = async (override: { readonly authenticate?: (request: Request) => boolean }): Promise<unknown> => {
      let creates = 0;
      const cold = chatFactory({
        state: createMemoryState(),
        adapters: () => ({ line: line() }),
        setup: () => { creates += 1; },
        config: () => ({ logger: 'silent' }),
      });
      const registry = new ConnectionRegistry({ store: new MemoryStore([{ id: 'l' }]), factory: { ...cold, ...override } });
      const post = (headers: Record<string, string>): Promise<Response> =>
        registry.handleWebhook('l', new Request('https://gateway', { method: 'POST', body: '{}', headers }));
      const forged = { status: (await post({})).status, creates };
      const genuine = { status: (await post({ 'x-line': '1' })).status, creates };
      await registry.close();
      return { forged, genuine };
    };
    expect(await outcome({})).toEqual({ forged: { status: 401, creates: 1 }, genuine: { status: 200, creates: 1 } });
    expect(await outcome({ authenticate: ({ headers }) => headers.has('x-line') }))
      .toEqual({ forged: { status: 401, creates: 0 }, genuine: { status: 200, creates: 1 } });
  });

  test('verifying logs nothing, so that a forger cannot fill the log', async () => {
    const { createTelegramAdapter } = await import('@chat-adapter/telegram');
    const logged = vi.spyOn(console, 'warn').mockImplementation(() => {});
    bots = botsOver([telegramBot('t')], {
      adapters: ({ apiUrl }) => ({
        telegram: createTelegramAdapter({ botToken: '7:good', secretToken: 'right', apiUrl, mode: 'webhook' }),
      }),
    });
    await deliver(bots, 't', fromTelegram('wrong', 'hi'));
    await deliver(bots, 't', fromTelegram('right', 'hi'));
    const lines = logged.mock.calls.length;
    logged.mockRestore();
    expect({ lines, heard: bots.heard }).toEqual({ lines: 0, heard: ['t: hi'] });
  });
});

describe('a delivery', () => {
  test('reaches the handler once, which finds the current connection', async () => {
    bots = botsOver([slackBot('s'), telegramBot('t')]);
    await deliver(bots, 's', slashCommand(secretOf('s'), { text: 'to s' }));
    await deliver(bots, 't', fromTelegram(secretOf('t'), 'to t'));
    expect(bots.heard).toEqual(['s: to s', 't: to t']);
    expect(slackApi.messages.map(({ text, token }) => ({ text, token }))).toEqual([{ text: 'pong', token: 'xoxb-s' }]);
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
    expect({ slack: [...slackApi.calls], telegram: telegramApi.calls }).toEqual({ slack: [], telegram: [] });
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
    const store = new MemoryStore([{ id: 's', apiUrl: slackApi.url }]);
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
