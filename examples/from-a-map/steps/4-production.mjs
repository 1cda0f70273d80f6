import { ConnectionRegistry } from 'hydrant';
import { isSigned, startBot } from '../bot.mjs';

/**
 * Bounded, fewer reads, and it goes on for a moment while the database is away.
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
