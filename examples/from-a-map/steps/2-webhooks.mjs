import { ConnectionRegistry } from 'hydrant';
import { startBot } from '../bot.mjs';

/**
 * Webhooks go through the registry too, so the Map is gone. A bot starts when it is first needed.
 *
 * @param {import('../table.mjs').Table} table
 */
export async function createGateway(table) {
  const registry = new ConnectionRegistry({
    store: { get: table.read },
    factory: {
      create: startBot,
      dispose: (bot) => bot.stop(),
      authenticate: 'in-handler',
      handleWebhook: (bot, request) => bot.receive(request),
    },
  });

  return {
    webhook: registry.handleWebhook,
    /** @param {string} id @param {string} text */
    send: (id, text) => registry.use(id, (bot) => bot.send(text)),
    /** @param {import('../table.mjs').Row} row */
    save: (row) => table.write(row),
    async close() {
      await registry.close();
    },
  };
}
