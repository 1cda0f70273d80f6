import { setTimeout as delay } from 'node:timers/promises';
import { createSlackAdapter } from '@chat-adapter/slack';
import { createMemoryState } from '@chat-adapter/state-memory';
import { Chat, ConsoleLogger } from 'chat';

/**
 * A row of the table `bots`.
 *
 * @typedef {{ id: string, status: 'active' | 'stopped', signingSecret: string, botToken: string, greeting: string }} Bot
 * @typedef {Awaited<ReturnType<typeof createChat>>} SlackChat
 */

const logger = new ConsoleLogger('silent');

/**
 * A live Slack bot: the Chat SDK with its Slack adapter, initialised (one `auth.test` call to Slack). The same in every
 * way this demo shows.
 *
 * @param {Bot} bot
 */
export async function createChat({ signingSecret, botToken, greeting }) {
  const chat = new Chat({
    userName: 'bot',
    logger,
    state: createMemoryState(),
    adapters: { slack: createSlackAdapter({ signingSecret, botToken, logger }) },
  });
  chat.onSlashCommand('/ping', async ({ channel, text }) => { await channel.post(`${greeting} ${text}`); });
  chat.onSlashCommand('/ask', async ({ channel, text }) => {
    await delay(1_200); // a model thinks; Slack was answered long ago
    await channel.post(`${greeting} ${text}`);
  });
  await chat.initialize();
  return chat;
}
