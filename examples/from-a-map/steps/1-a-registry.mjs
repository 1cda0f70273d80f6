import { ConnectionRegistry } from 'hydrant';
import { startBot } from '../bot.mjs';

/**
 * Outgoing messages go through a registry. Webhooks still go through the Map.
 *
 * @param {import('../table.mjs').Table} table
 */
export async function createGateway(table) {
  const registry = new ConnectionRegistry({
    store: { get: table.read },
    factory: { create: startBot, dispose: (bot) => bot.stop() },
  });
  /** @type {Map<string, import('../bot.mjs').Bot>} */
  const bots = new Map();
  for (const row of await table.all()) {
    if (row.status === 'active') bots.set(row.id, await startBot(row));
  }

  return {
    /** @param {string} id @param {Request} request */
    async webhook(id, request) {
      const bot = bots.get(id);
      if (bot === undefined) return new Response('no such bot', { status: 404 });
      return bot.receive(request);
    },
    /** @param {string} id @param {string} text */
    send: (id, text) => registry.use(id, (bot) => bot.send(text)),
    /** @param {import('../table.mjs').Row} row */
    async save(row) {
      await table.write(row);
      await bots.get(row.id)?.stop();
      bots.delete(row.id);
      if (row.status === 'active') bots.set(row.id, await startBot(row));
    },
    async close() {
      for (const bot of bots.values()) await bot.stop();
      await registry.close();
    },
  };
}
