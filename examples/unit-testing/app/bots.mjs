import { ConnectionRegistry } from 'hydrant';

/**
 * The application's registry. Functions that talk to the outside, and the clock, are parameters.
 *
 * @typedef {import('node:events').EventEmitter & { send(to: string, text: string): Promise<void>, close(): Promise<void> }} Bot
 *
 * @param {{
 *   store: import('hydrant').ConnectionStore<import('hydrant').ConnectionRecord & { token: string }>,
 *   connect: (token: string) => Promise<Bot>,
 * } & import('hydrant').RegistryTuning} options
 */
export function createBots({ store, connect, ...tuning }) {
  return new ConnectionRegistry({
    store,
    factory: {
      /** @param {{ token: string }} record @param {import('hydrant').HydrationContext} context */
      async create({ token }, { retire }) {
        const bot = await connect(token);
        bot.once('close', retire);
        return bot;
      },
      dispose: (bot) => bot.close(),
      authenticate: (request, { record }) => request.headers.get('authorization') === `Bearer ${record.token}`,
      async handleWebhook(bot, request) {
        const { from } = await request.json();
        await bot.send(from, 'Got it.');
        return new Response(null, { status: 204 });
      },
    },
    ...tuning,
  });
}
