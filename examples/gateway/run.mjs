/** Five platforms through one gateway, their vendors on loopback. `npm run build` first. */
import { createServer } from 'node:http';
import { MemoryStore } from 'hydrant';
import { listen } from '../support/recording-server.mjs';
import { createGateway } from './gateway.mjs';
import { startWorld } from './world.mjs';

const world = await startWorld();
const { app, registry } = createGateway({ store: new MemoryStore(world.rows), surroundings: world.surroundings });
registry.on('hydrated', ({ id }) => console.log(`  ${id} came to life`));
registry.on('webhookFailed', ({ id, error }) => console.log(`  ${id} was answered with ${error.code}`));
const server = createServer(app);
const origin = await listen(server);

console.log('forged requests');
for (const [platform, request] of Object.entries(await world.requests('a guess'))) {
  await fetch(`${origin}/webhooks/acme-${platform}`, request);
}
console.log(`vendors were called ${world.calls()} times`);
console.log('signed requests');
for (const [platform, request] of Object.entries(await world.requests())) {
  const { status } = await fetch(`${origin}/webhooks/acme-${platform}`, request);
  console.log(`  ${platform} → ${status}`);
}
console.log('a row of a platform that nobody made a factory for');
await fetch(`${origin}/webhooks/acme-fax`, { method: 'POST', body: 'beep' });
console.log('messages from the application');
for (const platform of ['telegram', 'whatsapp', 'github']) {
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ to: '7', text: 'Lunch is ready' }),
  };
  console.log(`  ${platform} → ${(await fetch(`${origin}/connections/acme-${platform}/messages`, request)).status}`);
}
server.close();
server.closeIdleConnections();
await registry.close();
await world.close();
console.log('the bots said');
for (const [platform, texts] of Object.entries(world.said())) console.log(`  ${platform}: ${texts.join(' | ')}`);
