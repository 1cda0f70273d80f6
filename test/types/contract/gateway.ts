import { AsyncLocalStorage } from 'node:async_hooks';
import express from 'express';
import { Chat } from 'chat';
import { createSlackAdapter } from '@chat-adapter/slack';
import { verifySlackRequest } from '@chat-adapter/slack/webhook';
import { createMemoryState } from '@chat-adapter/state-memory';
import { Bot, webhookCallback } from 'grammy';
import { ConnectionRegistry, MemoryStore, factoryByPlatform, isConnectionError, type InstanceFactory, type Connections, type ConnectionStore, type Lease } from 'hydrant';
import { expressWebhook } from 'hydrant/express';
import { rowSchema, type Row, type SlackRow, type TelegramRow } from './rows.js';
import { orgContext, resolveSecret } from './secrets.js';

const slack = {
  secrets: async (r: SlackRow, { signal }) => ({ signingSecret: await resolveSecret(r.config.signingSecretRef, signal), botToken: await resolveSecret(r.config.botTokenRef, signal) }),
  async create(r: SlackRow, { secrets, onDispose }) {
    const chat = new Chat({ userName: 'x', state: createMemoryState(), adapters: { slack: createSlackAdapter({ ...secrets, botUserId: r.config.botUserId }) } });
    onDispose(() => chat.shutdown());
    await chat.initialize();
    return { kind: 'slack' as const, chat, send: async (to: string, text: string) => { await chat.channel(`slack:${to}`).post(text); } };
  },
  authenticate: (request, { secrets }) => verifySlackRequest(request, secrets).then(() => true, () => false),
  handleWebhook: (i, request, { waitUntil }) => i.chat.webhooks.slack(request, { waitUntil }),
  acknowledge: { afterMs: 2_000, respond: async (request) => (await request.formData()).has('command') ? new Response() : undefined },
  async respondToFailure(failure, request, { acknowledged }) {
    const form = await request.formData(); const url = form.get('response_url');
    if (acknowledged && typeof url === 'string') await fetch(url, { method: 'POST', body: JSON.stringify({ text: failure.code }) });
    return undefined;
  },
} satisfies InstanceFactory<SlackRow, { kind: 'slack'; chat: { webhooks: { slack(r: Request, o: unknown): Promise<Response> } }; send(to: string, text: string): Promise<void> }, { signingSecret: string; botToken: string }>;

const telegram: InstanceFactory<TelegramRow, { kind: 'telegram'; bot: Bot; hook(r: Request): Promise<Response>; send(to: string, text: string): Promise<void> }, { token: string }> = {
  secrets: async (r) => ({ token: await resolveSecret(r.config.tokenRef) }),
  async create(_r, { secrets }) { const bot = new Bot(secrets.token); await bot.init(); return { kind: 'telegram', bot, hook: webhookCallback(bot, 'std/http'), send: async (to, text) => { await bot.api.sendMessage(to, text); } }; },
  handleWebhook: (i, request) => i.hook(request), authenticate: 'in-handler',
  replacement: 'drain-first', maxConcurrentHydrations: 8,
};
const factory = factoryByPlatform('platform', { slack, telegram });
declare const store: ConnectionStore<Row>;
declare const twoPlatforms: ConnectionStore<SlackRow | TelegramRow>;
const root = AsyncLocalStorage.snapshot();
export const registry = new ConnectionRegistry({ store: twoPlatforms, factory, around: (record, work) => root(() => orgContext.run({ organizationId: record.organizationId }, work)) });
registry.use('x', async (i): Promise<unknown> => i.kind === 'slack' ? i.chat.initialize() : i.bot.api.getMe());
registry.on('hydrationFailed', (e) => e.failures.toFixed());
// @ts-expect-error a WhatsApp row may come out of this store and no factory takes it
new ConnectionRegistry({ store, factory });
// @ts-expect-error a Slack-only factory over all rows
new ConnectionRegistry({ store, factory: slack });
// @ts-expect-error wrong key
factoryByPlatform('platform', { slak: slack });
// @ts-expect-error the Telegram factory under the Slack key
factoryByPlatform('platform', { slack: telegram, telegram });
// the schema decides R, the store may be untyped
declare const raw: ConnectionStore<{ id: string; version: string; status: 'active' | 'stopped'; config: unknown }>;
const c = new ConnectionRegistry({ store: raw, recordSchema: rowSchema, factory: { create: (r) => r.platform } });
c.use('x', (i) => i.length);
try { } catch (e) { if (isConnectionError(e, 'BACKING_OFF')) { const code: 'BACKING_OFF' = e.code; void code; if (e.retryable) { } } }
// a fake is an object literal
const fake: Connections<Row, { send(t: string): Promise<void> }> = { use: async (_id, work) => work({ send: async () => {} }, {} as Lease<Row, any>), acquire: async () => { throw new Error(); } };
const wide: Connections<Row, { send(to: string, text: string): Promise<void> }> = registry; void wide; void fake;

const app = express();
app.post('/slack/events', expressWebhook(registry, { connectionId: async (request) => `slack:${(await request.formData()).get('team_id')}` }));
app.all('/webhooks/:connectionId', expressWebhook(registry));

// quickstart inference
const q = new ConnectionRegistry({
  store: new MemoryStore([{ id: 'acme', signingSecret: 'shh', botToken: 'xoxb-1', botUserId: 'U1' }]),
  factory: {
    create({ signingSecret, botToken, botUserId }) {
      const adapter = createSlackAdapter({ signingSecret, botToken, botUserId });
      const chat = new Chat({ userName: 'bot', state: createMemoryState(), adapters: { slack: adapter } });
      chat.onSlashCommand('/ping', async (event) => { await event.channel.post('pong'); });
      return chat;
    },
    dispose: (chat) => chat.shutdown(),
    authenticate: (request, { record }) => verifySlackRequest(request, record).then(() => true, () => false),
    handleWebhook: (chat, request, { waitUntil }) => chat.webhooks.slack(request, { waitUntil }),
  },
});
q.use('acme', (chat) => chat.openDM('U1'));
