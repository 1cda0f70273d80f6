import express from 'express';
import { ConnectionRegistry } from 'hydrant';
import { expressWebhook } from 'hydrant/express';
import { slackFactory } from './factory.mjs';

/**
 * One Slack app, installed in many workspaces, behind one URL. Each workspace is a row `slack:T…`; `slack:app` is the
 * app itself, whom Slack asks a question that belongs to no workspace when the URL is entered in the app's settings.
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

  // The rest of the application parses what it likes, and uses the same instances.
  app.use(express.json());
  app.post('/announcements', (req, res, next) => {
    const { team, channel, text } = req.body;
    registry.use(`slack:${team}`, (bot) => bot.send(channel, text)).then(() => res.sendStatus(204), next);
  });
  return { app, registry };
}

/**
 * Which row a request is for. Nothing is verified yet, so it only looks: the row decides whose signature is believed.
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
