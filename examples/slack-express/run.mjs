/**
 * The gateway against a Slack API on loopback, cold, with an assistant that takes five seconds to get ready.
 * `npm run build` first.
 */
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { MemoryStore } from 'hydrant';
import { startFakeSlackApi } from '../support/fake-slack-api.mjs';
import { listen, startRecordingServer } from '../support/recording-server.mjs';
import { slackEvent, workspaceCommand } from '../support/slack-requests.mjs';
import { createGateway } from './gateway.mjs';

const signingSecret = 'shh';
const slack = await startFakeSlackApi();
const lateAnswers = await startRecordingServer();
const store = new MemoryStore([ // in production a PostgresStore: the rows are there for every replica
  { id: 'slack:app', signingSecret, botToken: '' },
  { id: 'slack:T0001', signingSecret, botToken: 'xoxb-acme' },
  { id: 'slack:T0002', signingSecret, botToken: 'revoked' },
]);
const { app, registry } = createGateway({
  store,
  apiUrl: slack.url,
  async prepare(id, { signal }) {
    await delay(5_000, undefined, { signal });
    if (id === 'slack:T0002') throw new Error('this workspace has no subscription');
    return (question) => `the answer to “${question}” is 42`;
  },
});
registry.on('hydrationFailed', ({ id, error }) => console.log(`${id}: ${error.code}, ${error.cause}`));
const server = createServer(app);
const url = `${await listen(server)}/slack/events`;

/** @param {string} what @param {RequestInit} request */
async function show(what, request) {
  const sentAt = performance.now();
  const response = await fetch(url, request);
  const inTime = performance.now() - sentAt < 3_000 ? 'within 3 s' : 'TOO LATE';
  console.log(`${what} → ${response.status} ${await response.text()}`.trimEnd() + `, ${inTime}`);
}

await show('url_verification', slackEvent(signingSecret, { type: 'url_verification', challenge: 'c-1' }));
await show('a forged command', workspaceCommand({ signingSecret: 'a guess', team: 'T0001' }));
await Promise.all([
  show('/ask in T0001', workspaceCommand({ signingSecret, team: 'T0001', text: 'everything' })),
  show('/ask in T0002', workspaceCommand({ signingSecret, team: 'T0002', responseUrl: `${lateAnswers.url}/commands/1` })),
]);
server.close();
server.closeIdleConnections();
await registry.close(); // waits for the work on acknowledged commands
for (const { channel, text } of slack.messages) console.log(`the bot said in ${channel}: ${text}`);
for (const { path, body } of lateAnswers.received) console.log(`posted to response_url ${path}: ${body}`);
await slack.close();
await lateAnswers.close();
