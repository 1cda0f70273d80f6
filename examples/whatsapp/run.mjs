/** Against a Cloud API on loopback, which revokes the token in between. `npm run build` first. */
import { MemoryStore } from 'hydrant';
import { startRecordingServer } from '../support/recording-server.mjs';
import { whatsappMessage } from '../support/whatsapp-sender.mjs';
import { createGateway } from './gateway.mjs';

let token = 't1';
const graph = await startRecordingServer(({ headers }) => (
  headers.authorization === `Bearer ${token}` ? { json: { verified_name: 'Acme' } } : { status: 401 }));
const row = { id: 'acme', phoneNumberId: '100', accessToken: 't1', appSecret: 'shh', verifyToken: 'open sesame' };
const store = new MemoryStore([row]);
const { app, registry } = createGateway({ store, graphUrl: graph.url });
registry.on('retired', ({ id, cause }) => console.log(`${id} is retired: ${cause}`));
registry.on('hydrationFailed', ({ id, error, retryAfterMs }) =>
  console.log(`${id}: ${error.code}, ${error.cause}, ${retryAfterMs > 0 ? 'left alone for a moment' : ''}`),
);
registry.on('webhookFailed', ({ error }) => console.log(`answered with ${error.code}`));

/** @param {string} what @param {string} path @param {RequestInit} [request] */
async function show(what, path, request) {
  const response = await app.request(path, request);
  const text = await response.text();
  console.log(`${what} → ${response.status} ${response.ok ? text : ''}`.trimEnd());
}
const question = (/** @type {string} */ verify) =>
  `/whatsapp/acme?${new URLSearchParams({ 'hub.mode': 'subscribe', 'hub.verify_token': verify, 'hub.challenge': '1158201444' })}`;

await show('Meta’s question', question('open sesame'));
await show('somebody else’s', question('a guess'));
await show('a message', '/whatsapp/acme', whatsappMessage({ appSecret: 'shh', text: 'hi' }));
token = 't2';
await show(
  'a message after the token was revoked',
  '/whatsapp/acme',
  whatsappMessage({ appSecret: 'shh', text: 'still there?' }),
);
await store.put({ ...row, accessToken: 't2' });
await show(
  'sent again, after the new token was saved',
  '/whatsapp/acme',
  whatsappMessage({ appSecret: 'shh', text: 'still there?' }),
);
await registry.close();
await graph.close();
for (const { method, path, body } of graph.received) console.log(`the Cloud API got ${method} ${path} ${body}`.trimEnd());
