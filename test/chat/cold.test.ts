import { createMemoryState } from '@chat-adapter/state-memory';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { chatFactory } from 'hydrant/chat';
import { botsOver, deliver, fromSlack, fromTelegram, secretOf, slashCommand, type Bots } from './support/bots.js';
import { fakeVendors } from './support/vendors.js';

const vendors = fakeVendors();
const { slackBot, telegramBot } = vendors;

let bots: Bots;
afterEach(async () => {
  await (bots as Bots | undefined)?.registry.close();
});

describe('before anything is hydrated', () => {
  test('a forged delivery is refused: no instance, no call to a vendor', async () => {
    bots = botsOver([slackBot('s', null), telegramBot('t')]);
    const statuses = [
      (await deliver(bots, 's', slashCommand('wrong'))).status,
      (await deliver(bots, 's', new Request('https://gateway', { method: 'POST', body: '{}' }))).status,
      (await deliver(bots, 't', fromTelegram('wrong', 'hi'))).status,
    ];
    expect({ statuses, creates: bots.creates(), slack: vendors.slack.calls.size, telegram: vendors.telegram.calls.length })
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
