/** Two replicas over one store, against a Telegram API on loopback. `npm run build` first. */
import { MemoryStore } from 'hydrant';
import { startFakeTelegramApi, telegramMessage } from '../support/fake-telegram-api.mjs';
import { createGateway } from './gateway.mjs';

const telegram = await startFakeTelegramApi();
/** @type {MemoryStore<Omit<import('./factory.mjs').TelegramRow, 'status' | 'version'>>} */
const store = new MemoryStore(); // in place of the database that both replicas share
const replicas = await Promise.all(['A', 'B'].map(async () => {
  const { app } = await createGateway({ store, publicUrl: 'https://bots.example.com', apiRoot: telegram.url });
  return { app, origin: await app.listen({ port: 0, host: '127.0.0.1' }) };
}));
const [a = '', b = ''] = replicas.map(({ origin }) => origin);

/** @param {string} what @param {string} url @param {RequestInit} request */
async function show(what, url, request) {
  const response = await fetch(url, request);
  console.log(`${what} → ${response.status}`);
}
/** @param {string} method @param {unknown} body */
const json = (method, body) => ({ method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
/** The secret that Telegram was given last. */
const secretToken = () => telegram.calls.findLast(({ method }) => method === 'setWebhook')?.parameters.secret_token;

await show('install on replica A', `${a}/bots/helper`, json('PUT', { token: '1:good', greeting: 'Hello' }));
await show('a message to replica B', `${b}/telegram/helper`, telegramMessage({ secretToken: secretToken(), text: 'hi' }));
await show('a forged one', `${b}/telegram/helper`, telegramMessage({ secretToken: 'a guess', text: 'hi' }));
await show('edit on replica A', `${a}/bots/helper`, json('PUT', { token: '1:good', greeting: 'Good morning' }));
await show('a message to replica B', `${b}/telegram/helper`, telegramMessage({ secretToken: secretToken(), text: 'hi' }));
await show('a message from the application', `${b}/bots/helper/messages`, json('POST', { chat: '7', text: 'Lunch is ready' }));
await Promise.all(replicas.map(({ app }) => app.close()));
await telegram.close();
console.log('Telegram was called:');
for (const { method, parameters } of telegram.calls) console.log(`  ${method} ${parameters.text ?? ''}`.trimEnd());
