/** Cold, with an assistant that takes four seconds to get ready, against a Discord API on loopback. `npm run build` first. */
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { MemoryStore } from 'hydrant';
import { discordApplication } from '../support/discord-sender.mjs';
import { listen, startRecordingServer } from '../support/recording-server.mjs';
import { createGateway } from './gateway.mjs';

const discord = await startRecordingServer();
const application = discordApplication();
const store = new MemoryStore([{ id: 'acme', applicationId: '77', publicKey: application.publicKey }]);
const { listener, registry } = createGateway({
  store,
  apiUrl: discord.url,
  async prepare(_id, { signal }) {
    await delay(4_000, undefined, { signal });
    console.log('the assistant is ready');
    return async (question) => `“${question}”: 42`;
  },
});
const server = createServer(listener);
const url = `${await listen(server)}/discord/acme`;
const ask = (/** @type {string} */ token) =>
  application.request({ type: 2, token, data: { name: 'ask', options: [{ name: 'question', value: 'why?' }] } });

/** @param {string} what @param {RequestInit} request */
async function show(what, request) {
  const sentAt = performance.now();
  const response = await fetch(url, request);
  const inTime = performance.now() - sentAt < 3_000 ? 'within 3 s' : 'TOO LATE';
  console.log(`${what} → ${response.status} ${await response.text()}, ${inTime}`);
}

await show('PING', application.request({ type: 1 }));
await show('Discord’s probe with a bad signature', discordApplication().request({ type: 1 }));
await show('/ask, cold', ask('token-1'));
server.close();
server.closeIdleConnections();
await registry.close();
await discord.close();
for (const { method, path, body } of discord.received) console.log(`Discord got ${method} ${path} ${body}`);
