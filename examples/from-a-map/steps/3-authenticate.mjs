import { ConnectionRegistry } from 'hydrant';
import { isSigned, startBot } from '../bot.mjs';

/**
 * Signatures are checked on the row, before there is a bot.
 *
 * @param {import('../table.mjs').Table} table
 */
export async function createGateway(table) {
  const registry = new ConnectionRegistry({
    store: { get: table.read },
    factory: {
      create: startBot,
      dispose: (bot) => bot.stop(),
      authenticate: (request, { record }) => isSigned(request, record.secret),
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
