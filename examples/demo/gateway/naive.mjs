import { readActiveBot, readActiveBots, writeBot } from './bots-table.mjs';
import { createChat } from './slack-bot.mjs';

/**
 * The usual first attempt: a Map per process. It is filled at start with every active row. Admin calls that reach this
 * process keep it up to date. A bot that is not in it gets 404.
 *
 * With `loadOnMiss`, the usual second attempt: a bot that is not in the Map is looked up and started.
 *
 * @param {import('./main.mjs').Surroundings & { loadOnMiss: boolean }} surroundings
 * @returns {Promise<import('./main.mjs').Gateway>}
 */
export async function naiveGateway({ database, report, loadOnMiss }) {
  /** @type {Map<string, import('./slack-bot.mjs').SlackChat>} */
  const chats = new Map();

  /** @param {import('./slack-bot.mjs').Bot} bot */
  async function start(bot) {
    report('create');
    const chat = await createChat(bot);
    chats.set(bot.id, chat);
    return chat;
  }

  /** @param {string} id */
  async function stop(id) {
    const chat = chats.get(id);
    chats.delete(id);
    await chat?.shutdown();
  }

  /** @param {string} id */
  async function startOnMiss(id) {
    report('row');
    const bot = await readActiveBot(database, id);
    return bot && start(bot);
  }

  report('row');
  await Promise.all((await readActiveBots(database)).map(start));

  return {
    async handleWebhook(id, request) {
      const chat = chats.get(id) ?? (loadOnMiss ? await startOnMiss(id) : undefined);
      if (chat === undefined) return new Response('no such bot', { status: 404 });
      return chat.webhooks.slack(request);
    },
    async put(bot) {
      await writeBot(database, bot);
      await stop(bot.id);
      if (bot.status === 'active') await start(bot);
    },
    isLive: (id) => chats.has(id),
    live: () => chats.size,
    async close() {
      await Promise.all([...chats.keys()].map(stop));
    },
  };
}
