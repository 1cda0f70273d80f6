import { Bot } from 'grammy';
import { ConnectionRegistry } from 'hydrant';

/** @typedef {import('hydrant').ConnectionRecord & { token: string, greeting: string }} BotRow */

/**
 * A bot for each row. It can send from every replica: nothing here polls.
 *
 * @param {{ store: import('hydrant').ConnectionStore<BotRow>, apiRoot: string }} options
 */
export function createBots({ store, apiRoot }) {
  return new ConnectionRegistry({
    store,
    factory: {
      create(row) {
        const bot = new Bot(row.token, { client: { apiRoot } });
        bot.on('message:text', (context) => context.reply(`${row.greeting}: ${context.message.text}`));
        return bot;
      },
    },
  });
}
