import { verifySlackRequest } from '@chat-adapter/slack/webhook';
import { ConnectionRegistry } from 'hydrant';
import { PostgresStore } from 'hydrant/postgres';
import { toBot, writeBot } from './bots-table.mjs';
import { createChat } from './slack-bot.mjs';

/**
 * The same through hydrant. The rows stay in the table, and a webhook starts the bot on the replica that it reaches.
 *
 * @param {import('./main.mjs').Surroundings} surroundings
 * @returns {Promise<import('./main.mjs').Gateway>}
 */
export async function hydrantGateway({ database, report }) {
  const store = new PostgresStore({
    client: database, table: 'bots', columns: { config: ['signing_secret', 'bot_token', 'greeting'] }, mapRow: toBot,
  });
  await store.migrate(); // adds the triggers for hints

  const registry = new ConnectionRegistry({
    store: counted(store, report),
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
    put: (bot) => writeBot(database, bot),
    isLive: (id) =>
      registry.snapshot().connections.some((connection) => connection.id === id && connection.state !== 'disposing'),
    live: () => registry.snapshot().live,
    async close() {
      await registry.close();
    },
  };
}

/**
 * The same store, and every query is counted.
 *
 * @template {import('hydrant').ConnectionRecord} R
 * @param {Required<Pick<import('hydrant').ConnectionStore<R>, 'get' | 'getMany' | 'getVersions'>>} store
 * @param {import('./main.mjs').Surroundings['report']} report
 * @returns {import('hydrant').ConnectionStore<R>}
 */
function counted(store, report) {
  return {
    get(id, options) { report('row'); return store.get(id, options); },
    getMany(ids, options) { report('row'); return store.getMany(ids, options); },
    getVersions(ids, options) { report('version'); return store.getVersions(ids, options); },
  };
}
