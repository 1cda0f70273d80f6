import { createDiscordAdapter } from '@chat-adapter/discord';
import { createGoogleChatAdapter } from '@chat-adapter/gchat';
import { createGitHubAdapter } from '@chat-adapter/github';
import { createLinearAdapter } from '@chat-adapter/linear';
import { createMemoryState } from '@chat-adapter/state-memory';
import { createTeamsAdapter } from '@chat-adapter/teams';
import { createWhatsAppAdapter } from '@chat-adapter/whatsapp';
import type { Chat, Logger } from 'chat';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { chatFactory, withKnownBot, type Adapters } from 'hydrant/chat';
import { afterEach, expect, test, vi } from 'vitest';
import { discordApplication, fromGitHub, fromLinear, fromWhatsApp, googleChat, type Delivery } from './deliveries.js';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const DEAD_END = 'http://127.0.0.1:9';
const discord = discordApplication();
const google = googleChat('42');

/** The calls to the vendor. They are recorded, and none leaves the machine. */
const asked: string[] = [];
let down = false;
vi.stubGlobal('fetch', async (url: unknown) => {
  asked.push(String(url));
  if (down) throw new TypeError('fetch failed');
  if (String(url).includes('chat@system.gserviceaccount.com')) return Response.json(google.certificates);
  const organization = { id: 'o1', name: 'o', urlKey: 'o' };
  return Response.json({ data: { viewer: { id: 'bot', displayName: 'bot', organization } } });
});
afterEach(() => { asked.length = 0; });

function gateway(adapters: () => Adapters) {
  const heard: string[] = [];
  let creates = 0;
  const factory = chatFactory({
    state: createMemoryState(),
    adapters: () => adapters(),
    setup(chat: Chat) {
      creates += 1;
      const note = async (_thread: unknown, message: { text: string }): Promise<void> => { heard.push(message.text); };
      chat.onDirectMessage(note);
      chat.onNewMention(note);
      chat.onNewMessage(/./, note);
      chat.onSlashCommand(async ({ command }) => { heard.push(command); });
    },
    config: () => ({ logger: 'silent' }),
  });
  const registry = new ConnectionRegistry({ store: new MemoryStore([{ id: 'c' }]), factory });
  async function send({ headers, body }: Delivery): Promise<Response> {
    const work: Promise<unknown>[] = [];
    const request = new Request('https://gateway/hook', { method: 'POST', headers, body });
    const response = await registry.handleWebhook('c', request, { waitUntil: (task) => { work.push(task); } });
    await Promise.allSettled(work);
    return response;
  }
  return { registry, send, heard, creates: () => creates };
}

const ADAPTERS = {
  discord: () =>
    createDiscordAdapter({ botToken: 'b', publicKey: discord.publicKey, applicationId: '12', apiUrl: DEAD_END, logger: silent }),
  github: () =>
    createGitHubAdapter({ token: 't', webhookSecret: 's', userName: 'bot', botUserId: 1, apiUrl: DEAD_END, logger: silent }),
  whatsapp: () =>
    createWhatsAppAdapter({
      accessToken: 'a',
      appSecret: 's',
      phoneNumberId: '99',
      verifyToken: 'v',
      userName: 'bot',
      apiUrl: DEAD_END,
      logger: silent,
    }),
  linear: () => createLinearAdapter({ apiKey: 'k', webhookSecret: 's', userName: 'bot', apiUrl: DEAD_END, logger: silent }),
  gchat: () =>
    createGoogleChatAdapter({
      credentials: { client_email: 'a@b.c', private_key: 'k' },
      googleChatProjectNumber: '42',
      logger: silent,
    }),
};
const user = { id: 7, login: 'ada', type: 'User' };
const repository = { id: 1, name: 'r', full_name: 'o/r', owner: { id: 2, login: 'o', type: 'User' } };
const comment = {
  id: 5,
  body: '@bot hi',
  user,
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  html_url: 'https://x',
};
const command = {
  type: 2,
  id: '1',
  application_id: '12',
  token: 't',
  channel_id: '3',
  channel: { id: '3', type: 0 },
  guild_id: '4',
  data: { id: '1', name: 'ping', type: 1 },
  member: { user: { id: '7', username: 'ada' } },
};

const DELIVERIES: Record<keyof typeof ADAPTERS, { good: () => Delivery; heard: string[]; verifyingAsks?: RegExp }> = {
  discord: { good: () => discord.interaction(command), heard: ['/ping'] },
  github: {
    good: () =>
      fromGitHub('s', 'issue_comment', {
        action: 'created',
        comment,
        issue: { number: 1, title: 't', user, pull_request: {} },
        repository,
        sender: user,
      }),
    heard: ['@bot hi'],
  },
  whatsapp: { good: () => fromWhatsApp('s', 'hi'), heard: ['hi'] },
  linear: { good: () => fromLinear('s', '@bot hi'), heard: ['@bot hi'] },
  gchat: { good: () => google.message('hi'), heard: ['hi'], verifyingAsks: /chat@system/ },
};

test.each(Object.keys(ADAPTERS) as (keyof typeof ADAPTERS)[])(
  '%s: forged is refused while cold, and real is handled once',
  async (name) => {
    const { good, heard, verifyingAsks = /^never$/ } = DELIVERIES[name];
    const { registry, send, ...seen } = gateway(() => ({ [name]: ADAPTERS[name]() }));
    const real = good();
    const forged = [
      await send({
        ...real,
        body: `${real.body.slice(0, -1)},"x":1}`,
        headers: name === 'gchat' ? { ...real.headers, authorization: `${real.headers['authorization']}x` } : real.headers,
      }),
      await send({ headers: { 'content-type': 'application/json' }, body: real.body }),
    ];
    const cold = { creates: seen.creates(), asked: asked.filter((url) => !verifyingAsks.test(url)) };
    const served = await send(good());
    expect({
      forged: forged.map(({ status }) => status),
      cold,
      status: served.status,
      creates: seen.creates(),
      heard: seen.heard,
    }).toEqual({ forged: [401, 401], cold: { creates: 0, asked: [] }, status: 200, creates: 1, heard });
    await registry.close();
  },
);

test("challenges are answered while cold: Discord's PING, WhatsApp's hub.challenge, GitHub's ping", async () => {
  const bots = {
    discord: gateway(() => ({ discord: ADAPTERS.discord() })),
    github: gateway(() => ({ github: ADAPTERS.github() })),
    whatsapp: gateway(() => ({ whatsapp: ADAPTERS.whatsapp() })),
  };
  const probe = (token: string): Promise<Response> =>
    bots.whatsapp.registry.handleWebhook(
      'c',
      new Request(`https://gateway/hook?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=123`),
    );
  const answers = {
    discord: await (await bots.discord.send(discord.interaction({ type: 1, application_id: '12' }))).json(),
    github: await (await bots.github.send(fromGitHub('s', 'ping', { zen: 'x' }))).text(),
    whatsapp: await (await probe('v')).text(),
    wrongToken: (await probe('w')).status,
    creates: Object.values(bots).map(({ creates }) => creates()),
  };
  expect(answers).toEqual({ discord: { type: 1 }, github: 'pong', whatsapp: '123', wrongToken: 401, creates: [0, 0, 0] });
});

test('teams verifies in its handler: a forged activity hydrates, and is refused', async () => {
  const { send, creates } = gateway(() => ({
    teams: createTeamsAdapter({ appId: 'a', appPassword: 'p', appTenantId: 't', logger: silent }),
  }));
  const response = await send({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'message', channelId: 'msteams' }),
  });
  expect({ status: response.status, creates: creates() }).toEqual({ status: 401, creates: 1 });
});

test('teams with a webhookVerifier is verified on the row', async () => {
  const { send, creates } = gateway(() => ({
    teams: createTeamsAdapter({ appId: 'a', appPassword: 'p', appTenantId: 't', logger: silent, webhookVerifier: () => false }),
  }));
  const response = await send({ headers: { 'content-type': 'application/json' }, body: '{}' });
  expect({ status: response.status, creates: creates() }).toEqual({ status: 401, creates: 0 });
});

/** The calls of each adapter to its vendor at the start of an instance whose row holds all that it can. */
const ASKED_AT_START: Record<keyof typeof ADAPTERS, string[]> = {
  discord: [],
  github: [],
  whatsapp: [],
  gchat: [],
  linear: ['http://127.0.0.1:9'],
};

test.each(Object.entries(ASKED_AT_START))('%s: a start asks the vendor for %o', async (name, expected) => {
  const { registry, creates } = gateway(() => ({ [name]: ADAPTERS[name as keyof typeof ADAPTERS]() }));
  await registry.use('c', () => {});
  expect({ asked, creates: creates() }).toEqual({ asked: expected, creates: 1 });
  await registry.close();
});

test('linear wrapped in withKnownBot asks for nothing, and ignores its own comments', async () => {
  const own = { id: 'u1', username: 'bot', organizationId: 'o1' };
  const known = gateway(() => ({ linear: withKnownBot(ADAPTERS.linear(), own) }));
  const served = await known.send(fromLinear('s', '@bot hi'));
  expect({ asked, status: served.status, heard: known.heard }).toEqual({ asked: [], status: 200, heard: [] });
  const other = gateway(() => ({ linear: withKnownBot(ADAPTERS.linear(), { ...own, id: 'another' }) }));
  await other.send(fromLinear('s', '@bot hi'));
  expect({ asked, heard: other.heard }).toEqual({ asked: [], heard: ['@bot hi'] });
  await Promise.all([known.registry.close(), other.registry.close()]);
});

test('linear fails to start while Linear is unreachable, instead of serving without an identity', async () => {
  const { registry, send } = gateway(() => ({ linear: ADAPTERS.linear() }));
  registry.on('hydrationFailed', () => {});
  down = true;
  const { status } = await send(fromLinear('s', '@bot hi'));
  down = false;
  expect(status).toBe(503);
  await registry.close();
});
