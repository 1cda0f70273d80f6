import { createDiscordAdapter, type DiscordAdapterConfig } from '@chat-adapter/discord';
import { createMemoryState } from '@chat-adapter/state-memory';
import type { Chat, Logger } from 'chat';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { chatFactory } from 'hydrant/chat';
import { ManualClock } from 'hydrant/testing';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { discordApplication } from './deliveries.js';
// @ts-expect-error: an example in JavaScript
import { startRecordingServer } from '../../../examples/support/recording-server.mjs';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const application = discordApplication();
const slashCommand = {
  type: 2, id: '1', application_id: '12', token: 'token-1', channel_id: '3', channel: { id: '3', type: 0 }, guild_id: '4',
  data: { id: '1', name: 'ask', type: 1 }, member: { user: { id: '7', username: 'ada' } },
};

interface Received { readonly method: string; readonly path: string; readonly body: string }
let discord: { readonly url: string; readonly received: Received[]; close(): Promise<void> };

beforeAll(async () => {
  discord = await startRecordingServer(() => ({ json: { id: 'm1' } }));
  const { fetch: send } = globalThis;
  // The adapter ignores its option `apiUrl` for answers to interactions, and sends them to discord.com.
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => send(url.replace('https://discord.com', discord.url), init));
});
afterAll(async () => { vi.unstubAllGlobals(); await discord.close(); });

let end: () => Promise<void>;
afterEach(() => end());

/** A promise that the test settles. */
function gate<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((open, fail) => { resolve = open; reject = fail; });
  return { promise, resolve, reject };
}

/** A bot whose start and answer take as long as the test says. */
function slowBot(options: Partial<DiscordAdapterConfig> = {}) {
  const clock = new ManualClock();
  const starting = gate<void>();
  const thinking = gate<string>();
  const factory = chatFactory({
    state: createMemoryState(),
    adapters: () => ({
      discord: createDiscordAdapter({
        botToken: 'b', publicKey: application.publicKey, applicationId: '12', apiUrl: discord.url, logger: silent, ...options,
      }),
    }),
    setup: (chat: Chat) => {
      chat.onSlashCommand('/ask', async ({ channel }) => { await channel.post(await thinking.promise); });
      return starting.promise;
    },
    config: () => ({ logger: 'silent' }),
  });
  const registry = new ConnectionRegistry({ store: new MemoryStore([{ id: 'c' }]), factory, clock });
  registry.on('hydrationFailed', () => {});
  registry.on('webhookFailed', () => {});
  end = async () => {
    starting.resolve();
    thinking.resolve('late');
    await registry.close({ drainTimeoutMs: 0 });
    discord.received.length = 0;
  };
  const work: Promise<unknown>[] = [];
  const deliver = (interaction: object): Promise<Response> => {
    const delivery = application.interaction(interaction);
    const request = new Request('https://gateway/discord', { method: 'POST', ...delivery });
    return registry.handleWebhook('c', request, { waitUntil: (task) => { work.push(task); } });
  };
  /** Handlers are known only when the instance has started. */
  const ended = async (): Promise<void> => { for (const task of work) await task; };
  const isStarting = (): Promise<void> => vi.waitFor(() => expect(registry.snapshot().hydrating).toBe(1));
  return { clock, starting, thinking, deliver, isStarting, ended };
}

const received = (): string[] => discord.received.map(({ method, path, body }) => `${method} ${path} ${body}`);
const answered = (text: string): string[] =>
  [`PATCH /api/v10/webhooks/12/token-1/messages/@original ${JSON.stringify({ content: text })}`];

test('a slash command with a slow handler is acknowledged at once, and its answer goes to Discord', async () => {
  const { starting, thinking, deliver, ended } = slowBot();
  starting.resolve();
  const response = await deliver(slashCommand);
  expect({ status: response.status, body: await response.json(), received: received() })
    .toEqual({ status: 200, body: { type: 5 }, received: [] });
  thinking.resolve('42');
  await ended();
  expect(received()).toEqual(answered('42'));
});

test('a slash command of a bot that starts slowly is acknowledged after 2 s, and its answer goes to Discord', async () => {
  const { clock, starting, thinking, deliver, isStarting, ended } = slowBot();
  let body: unknown = 'none yet';
  const answering = deliver(slashCommand).then(async (response) => { body = await response.json(); });
  await isStarting();
  await clock.advance(1_999);
  expect(body).toBe('none yet');
  await clock.advance(1);
  await answering;
  expect({ body, received: received() }).toEqual({ body: { type: 5 }, received: [] });
  starting.resolve();
  thinking.resolve('42');
  await ended();
  expect(received()).toEqual(answered('42'));
});

test('the user of a slash command is told that its bot could not start', async () => {
  const { clock, starting, deliver, isStarting, ended } = slowBot();
  const answering = deliver(slashCommand);
  await isStarting();
  await clock.advance(2_000);
  expect(await (await answering).json()).toEqual({ type: 5 });
  starting.reject(new Error('the database is down'));
  await ended();
  expect(received()).toEqual(answered('Something went wrong. Please try again.'));
});

test('the private answer of a bot that starts slowly is not shown to the whole channel', async () => {
  const EPHEMERAL = 64;
  const { clock, deliver, isStarting } = slowBot({ interactionFlags: () => EPHEMERAL });
  const answering = deliver(slashCommand);
  await isStarting();
  await clock.advance(2_000);
  expect(await (await answering).json()).toEqual({ type: 5, data: { flags: EPHEMERAL } });
});
