/** Two replicas, a balancer that alternates between them, and the SDK's own client. `npm run build` first. */
import { startCluster } from './cluster.mjs';

const cluster = await startCluster();
const a = await cluster.add();
const b = await cluster.add();
const { client, transport, call } = await cluster.client('ada');
console.log(`remember milk → ${await call('remember', { note: 'milk' })}`);
console.log(`remember bread → ${await call('remember', { note: 'bread' })}`);
console.log(`recall → ${await call('recall')}`);
for (const [name, { served, registry }] of Object.entries({ A: a, B: b })) {
  console.log(`replica ${name} served ${served.join(', ')}; ${registry.snapshot().live} session is live there`);
}
await a.stop();
await b.stop();
await cluster.add();
console.log(`recall, after both replicas were replaced → ${await call('recall')}`);
const stranger = await cluster.client('eve', transport.sessionId);
console.log(`recall by somebody else who knows the session id → ${await stranger.call('recall').catch((error) => error.status)}`);
const otherWindow = await cluster.client('ada', transport.sessionId);
console.log(`recall in another window → ${await otherWindow.call('recall')}`);
await transport.terminateSession();
console.log(`recall there after the session has ended → ${await otherWindow.call('recall').catch((error) => error.status)}`);
await client.close();
await otherWindow.client.close();
await stranger.client.close();
await cluster.close();
