import { verifySlackRequest } from '@chat-adapter/slack/webhook';
import { ConnectionRegistry } from 'hydrant';
import { PostgresStore } from 'hydrant/postgres';
import { toBot, writeBot } from './bots-table.mjs';
import { createChat } from './slack-bot.mjs';

/**
 * The same through hydrant: the rows stay in the table, a webhook makes the bot live on the replica it lands on.
 *
 * @param {import('./main.mjs').Surroundings} surroundings
 * @returns {Promise<import('./main.mjs').Gateway>}
 */
export async function hydrantGateway({ client, admin, report }) {
  const registry = new ConnectionRegistry({
    store: new PostgresStore({ client, table: 'bots', mapRow: toBot }),
    factory: {
      create(bot) {
        report('create');
        return createChat(bot);
      },
      dispose: (chat) => chat.shutdown(),
      authenticate: (request, { record }) => verifySlackRequest(request, record).then(() => true, () => false),
      handleWebhook: (chat, request, { waitUntil }) => chat.webhooks.slack(request, { waitUntil }),
    },
  });
  return {
    handleWebhook: registry.handleWebhook,
    put: (bot) => writeBot(admin, bot),
    isLive: (id) => registry.snapshot().connections.some((connection) => connection.id === id),
    async close() { await registry.close(); },
  };
}
