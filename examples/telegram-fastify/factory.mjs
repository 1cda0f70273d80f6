import { timingSafeEqual } from 'node:crypto';

/**
 * Makes a grammY bot of the row of a Telegram bot.
 *
 * @typedef {import('hydrant').ConnectionRecord & {
 *   token: string, secretToken: string, botInfo: import('grammy/types').UserFromGetMe, greeting: string,
 * }} TelegramRow `botInfo` is the result of `getMe` at the installation, so that a cold start needs no network
 *
 * @param {{ apiRoot?: string | undefined }} [surroundings] Telegram's own API by default
 */
export function telegramFactory({ apiRoot } = {}) {
  /** @param {TelegramRow} record */
  async function create({ token, botInfo, greeting }) {
    const { Bot, webhookCallback } = await import('grammy');
    const bot = new Bot(token, { botInfo, client: apiRoot === undefined ? {} : { apiRoot } });
    bot.on('message:text', (context) => context.reply(`${greeting}, ${context.from.first_name}`));
    return {
      // Telegram waits up to a minute, so there is no hurry; the default gives up after ten seconds.
      receive: webhookCallback(bot, 'std/http', { timeoutMilliseconds: 50_000 }),
      /** @param {string} chat @param {string} text */
      send: async (chat, text) => { await bot.api.sendMessage(chat, text); },
    };
  }

  /** @satisfies {import('hydrant').InstanceFactory<TelegramRow, Awaited<ReturnType<typeof create>>>} */
  const factory = {
    create,
    // Telegram does not sign. It repeats the secret that `setWebhook` got. It is compared before there is a bot.
    authenticate: (request, { record }) =>
      isSame(request.headers.get('x-telegram-bot-api-secret-token') ?? '', record.secretToken),
    handleWebhook: (bot, request) => bot.receive(request),
  };
  return factory;
}

/** @param {string} given @param {string} expected */
function isSame(given, expected) {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
