import express from 'express';
import { ConnectionRegistry, factoryByPlatform, isConnectionError } from 'hydrant';
import { expressWebhook } from 'hydrant/express';
import { discordFactory } from '../discord/factory.mjs';
import { githubFactory } from '../github-hono/factory.mjs';
import { slackFactory } from '../slack-express/factory.mjs';
import { telegramFactory } from '../telegram-fastify/factory.mjs';
import { whatsappFactory } from '../whatsapp/factory.mjs';
import { rowSchema } from './rows.mjs';

/**
 * Serves every platform with one table, one registry and one route.
 *
 * @param {{
 *   store: import('hydrant').ConnectionStore,
 *   surroundings: Record<'slack' | 'telegram' | 'github' | 'discord' | 'whatsapp', any>,
 * } & import('hydrant').RegistryTuning} options `surroundings` has what each factory needs of the application
 */
export function createGateway({ store, surroundings, ...tuning }) {
  const registry = new ConnectionRegistry({
    store,
    recordSchema: rowSchema, // checks every row, because the store may return anything
    factory: factoryByPlatform('platform', {
      slack: { ...slackFactory(surroundings.slack), maxConcurrentHydrations: 8 }, // an outage of Slack must not take every permit
      telegram: telegramFactory(surroundings.telegram),
      github: githubFactory(surroundings.github),
      discord: discordFactory(surroundings.discord),
      whatsapp: whatsappFactory(surroundings.whatsapp),
    }),
    freshness: { maxStaleMs: 1_000 },
    staleIfErrorMs: 30_000,
    ...tuning,
  });

  const app = express();
  app.all('/webhooks/:connectionId', expressWebhook(registry));
  app.get('/ready', (_req, res) => { res.sendStatus(registry.state === 'open' ? 200 : 503); });

  app.use(express.json());
  app.post('/connections/:id/messages', (req, res, next) => {
    const { to, text } = req.body;
    registry.use(req.params.id, async (instance) => {
      if (!('send' in instance)) return 409; // not every platform can be written to first
      await instance.send(to, text);
      return 204;
    }).then((status) => res.sendStatus(status), (error) => {
      if (!isConnectionError(error)) return next(error);
      const isUnknown = isConnectionError(error, 'CONNECTION_NOT_FOUND') || isConnectionError(error, 'CONNECTION_STOPPED');
      return res.status(isUnknown ? 404 : error.retryable ? 503 : 500).json({ code: error.code });
    });
  });
  return { app, registry };
}
