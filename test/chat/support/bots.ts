import { createSlackAdapter } from '@chat-adapter/slack';
import { createMemoryState } from '@chat-adapter/state-memory';
import { createTelegramAdapter } from '@chat-adapter/telegram';
import type { Chat, Logger } from 'chat';
import { ConnectionRegistry, MemoryStore, type ConnectionRecord, type RegistryTuning } from 'hydrant';
import { chatFactory, currentConnection, withKnownBot, type ChatFactoryOptions } from 'hydrant/chat';
import { slackSignature } from '../../../examples/support/slack-sender.mjs';

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** A row of one customer's bot. */
export type Bot =
  & { readonly id: string; readonly apiUrl: string }
  & ({ readonly platform: 'slack'; readonly botUserId?: string } | { readonly platform: 'telegram' });
export type BotRecord = Bot & ConnectionRecord;

/** Each bot has secrets of its own, made of its id. */
export const secretOf = (id: string): string => `secret_of_${id.replaceAll(/\W/g, '_')}`;

export function adaptersOf(record: Bot) {
  if (record.platform === 'slack') {
    const { id, apiUrl, botUserId } = record;
    return {
      slack: createSlackAdapter({
        signingSecret: secretOf(id), botToken: `xoxb-${id}`, apiUrl, logger: silent, ...botUserId !== undefined && { botUserId },
        webClientOptions: { retryConfig: { retries: 0 }, timeout: 2_000 },
      }),
    };
  }
  const telegram = createTelegramAdapter({
    botToken: '7:good',
    secretToken: secretOf(record.id),
    apiUrl: record.apiUrl,
    mode: 'webhook',
    logger: silent,
    userName: 'bot_7',
  });
  return { telegram: withKnownBot(telegram, { id: 7, username: 'bot_7' }) };
}

export interface Bots {
  readonly registry: ConnectionRegistry<BotRecord, Chat>;
  readonly store: MemoryStore<Bot>;
  /** `id: text` of every message a handler got, with the current connection's id. */
  readonly heard: string[];
  /** How many instances were created. */
  readonly creates: () => number;
}

/** A registry of bots that note what they hear, and answer a slash command. */
export function botsOver(
  rows: readonly Bot[],
  options: Partial<ChatFactoryOptions<BotRecord, Chat, undefined>> = {},
  tuning: RegistryTuning = {},
): Bots {
  const heard: string[] = [];
  let creates = 0;
  const note = (text: string): void => { heard.push(`${currentConnection().id}: ${text}`); };
  const factory = chatFactory({
    state: createMemoryState(),
    adapters: (record: BotRecord) => adaptersOf(record),
    setup(chat: Chat) {
      creates += 1;
      chat.onDirectMessage(async (_thread, message) => note(message.text));
      chat.onNewMention(async (_thread, message) => note(message.text));
      chat.onSlashCommand('/ping', async (event) => { note(event.text); await event.channel.post('pong'); });
    },
    config: () => ({ logger: 'silent' }),
    ...options,
  });
  const store = new MemoryStore<Bot>(rows);
  const registry = new ConnectionRegistry<BotRecord, Chat>({ store, factory, ...tuning });
  return { registry, store, heard, creates: () => creates };
}

export interface SlackDelivery { readonly secret: string; readonly body: string; readonly json?: boolean }

/** A delivery of Slack, signed. */
export function fromSlack({ secret, body, json = true }: SlackDelivery): Request {
  const contentType = json ? 'application/json' : 'application/x-www-form-urlencoded';
  return new Request('https://gateway/slack', {
    method: 'POST',
    headers: { 'content-type': contentType, ...slackSignature(secret, body) },
    body,
  });
}

/** A slash command, signed. */
export function slashCommand(secret: string, fields: Record<string, string> = {}): Request {
  const form = {
    command: '/ping',
    text: 'hi',
    team_id: 'T1',
    channel_id: 'C1',
    user_id: 'U42',
    user_name: 'ada',
    trigger_id: '1.2',
    ...fields,
  };
  return fromSlack({ secret, body: new URLSearchParams(form).toString(), json: false });
}

let serial = 0;

/** A private message to a Telegram bot. The SDK handles one message of a chat at a time, and drops the others. */
export function fromTelegram(secret: string, text: string, updateId = ++serial, chat = 42): Request {
  const from = { id: chat, is_bot: false, first_name: 'Ada' };
  const message = { message_id: updateId, date: 1, chat: { id: chat, type: 'private', first_name: 'Ada' }, from, text };
  const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret };
  return new Request('https://gateway/telegram', {
    method: 'POST',
    headers,
    body: JSON.stringify({ update_id: updateId, message }),
  });
}

/** Hands a delivery to the registry and waits until its handlers have ended. */
export async function deliver({ registry }: Pick<Bots, 'registry'>, id: string, request: Request): Promise<Response> {
  const work: Promise<unknown>[] = [];
  const response = await registry.handleWebhook(id, request, { waitUntil: (task) => { work.push(task); } });
  for (const task of work) await task;
  return response;
}
