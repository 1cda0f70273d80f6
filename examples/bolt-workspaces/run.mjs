/** Two workspaces of one Slack app on Express, against a fake of Slack's API. `npm run build` first. */
import express from 'express';
import { createServer } from 'node:http';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { expressWebhook } from 'hydrant/express';
import { startFakeSlackApi } from '../support/fake-slack-api.mjs';
import { listen } from '../support/recording-server.mjs';
import { workspaceCommand } from '../support/slack-requests.mjs';
import { setUp } from './bot.mjs';
import { workspaceFactory } from './factory.mjs';

const slack = await startFakeSlackApi();
const signingSecret = 'the app’s secret';
const store = new MemoryStore([
  { id: 'T0001', signingSecret, botToken: 'xoxb-1', botId: 'B1', botUserId: 'U1' },
  { id: 'T0002', signingSecret, botToken: 'xoxb-2', botId: 'B2', botUserId: 'U2' },
]);
const registry = new ConnectionRegistry({ store, factory: workspaceFactory({ setUp, apiUrl: slack.url }) });
registry.on('hydrated', ({ id }) => console.log(`an App for ${id}`));
const server = createServer(express().post('/slack/:connectionId', expressWebhook(registry)));
const origin = await listen(server);

for (const [team, secret] of [['T0001', 'a guess'], ['T0001', signingSecret], ['T0002', signingSecret]]) {
  const command = workspaceCommand({ signingSecret: secret ?? '', team: team ?? '', text: 'why?' });
  const { status } = await fetch(`${origin}/slack/${team}`, command);
  console.log(`/ask in ${team} → ${status}`);
}
await registry.close(); // waits for work that goes on after an acknowledgement
for (const { token, text } of slack.messages) console.log(`${token} posted “${text}”`);
server.close();
server.closeAllConnections();
await slack.close();
