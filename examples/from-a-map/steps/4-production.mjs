import { ConnectionRegistry } from 'hydrant';
import { isSigned, startBot } from '../bot.mjs';

/**
 * Live bots are bounded, reads are fewer, and bots keep serving during a short outage of the database.
 *
 * @param {import('../table.mjs').Table} table
 */
export async function createGateway(table) {
  const registry = new ConnectionRegistry({
    store: { get: table.read, getVersions: table.versions },
    factory: {
      create: startBot,
      dispose: (bot) => bot.stop(),
      authenticate: (request, { record }) => isSigned(request, record.secret),
      handleWebhook: (bot, request) => bot.receive(request),
    },
    maxInstances: 2,
    staleIfErrorMs: 30_000,
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
