import { randomBytes } from 'node:crypto';
import fastify from 'fastify';
import { Api } from 'grammy';
import { ConnectionRegistry } from 'hydrant';
import { fastifyWebhook } from 'hydrant/fastify';
import { telegramFactory } from './factory.mjs';

/**
 * @param {{
 *   store: import('hydrant').ConnectionStore<import('./factory.mjs').TelegramRow> & { put(row: any): Promise<unknown> },
 *   publicUrl: string,
 *   apiRoot?: string,
 * } & import('hydrant').RegistryTuning} options
 */
export async function createGateway({ store, publicUrl, apiRoot, ...tuning }) {
  const registry = new ConnectionRegistry({ store, factory: telegramFactory({ apiRoot }), ...tuning });
  const app = fastify();
  await app.register(fastifyWebhook, { registry, prefix: '/telegram', path: '/:connectionId' });

  // Installs or edits a bot. The webhook is set here, once, instead of by every replica that starts the bot.
  app.route({
    method: 'PUT',
    url: '/bots/:id',
    async handler(request) {
      const { id } = /** @type {{ id: string }} */ (request.params);
      const { token, greeting } = /** @type {{ token: string, greeting: string }} */ (request.body);
      const telegram = new Api(token, apiRoot === undefined ? {} : { apiRoot });
      const botInfo = await telegram.getMe();
      const secretToken = randomBytes(32).toString('hex');
      await store.put({ id, token, greeting, secretToken, botInfo });
      await telegram.setWebhook(`${publicUrl}/telegram/${id}`, { secret_token: secretToken, allowed_updates: ['message'] });
      return { username: botInfo.username };
    },
  });

  app.route({
    method: 'POST',
    url: '/bots/:id/messages',
    async handler(request, reply) {
      const { id } = /** @type {{ id: string }} */ (request.params);
      const { chat, text } = /** @type {{ chat: string, text: string }} */ (request.body);
      await registry.use(id, (bot) => bot.send(chat, text));
      return reply.code(204).send();
    },
  });

  // After the last request was answered.
  app.addHook('onClose', async () => { await registry.close(); });
  return { app, registry };
}
