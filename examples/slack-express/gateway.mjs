import express from 'express';
import { ConnectionRegistry } from 'hydrant';
import { expressWebhook } from 'hydrant/express';
import { slackFactory } from './factory.mjs';

/**
 * One Slack app, installed in many workspaces, at one URL. Each workspace is a row `slack:T…`. The row `slack:app` is the app
 * itself. It answers Slack's `url_verification`, which belongs to no workspace.
 *
 * @param {import('./factory.mjs').Surroundings & {
 *   store: import('hydrant').ConnectionStore<import('./factory.mjs').SlackRow>,
 * } & import('hydrant').RegistryTuning} options
 */
export function createGateway({ store, prepare, apiUrl, ...tuning }) {
  const registry = new ConnectionRegistry({ store, factory: slackFactory({ prepare, apiUrl }), ...tuning });
  const app = express();

  // Before any body parser: a signature covers the bytes as they came.
  app.post('/slack/events', expressWebhook(registry, { connectionId: workspaceOf }));

  // Other routes may use body parsers, and use the same instances.
  app.use(express.json());
  app.post('/announcements', (req, res, next) => {
    const { team, channel, text } = req.body;
    registry.use(`slack:${team}`, (bot) => bot.send(channel, text)).then(() => res.sendStatus(204), next);
  });
  return { app, registry };
}

/**
 * Finds the row of a request. The request is not verified yet, so this only looks up the id. The row's secret verifies it.
 *
 * @param {Request} request
 */
async function workspaceOf(request) {
  if (request.headers.get('content-type')?.startsWith('application/json')) {
    const { type, team_id: team } = await request.json();
    return type === 'url_verification' ? 'slack:app' : `slack:${team}`;
  }
  const form = await request.formData();
  const payload = form.get('payload'); // of buttons and dialogues
  return `slack:${typeof payload === 'string' ? JSON.parse(payload).team?.id : form.get('team_id')}`;
}
