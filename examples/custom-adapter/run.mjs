/** A chat server on loopback that hangs up, and lets each name in once. `npm run build` first. */
import { once } from 'node:events';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { startLineServer } from '../support/line-server.mjs';
import { lineFactory } from './factory.mjs';

const server = await startLineServer();
const acme = { id: 'acme', port: server.port, name: 'acme-bot', password: 'shh', greeting: 'Hello' };
const store = new MemoryStore([acme, { ...acme, id: 'broken', name: 'broken-bot', password: 'wrong' }]);
const registry = new ConnectionRegistry({ store, factory: lineFactory });
registry.on('hydrated', ({ id }) => console.log(`${id} is logged in`));
registry.on('retired', ({ id, cause }) => console.log(`${id} is retired: ${cause}`));
registry.on('disposed', ({ id, reason }) => console.log(`${id} is disposed of: ${reason}`));
registry.on('hydrationFailed', ({ id, error }) => console.log(`${id}: ${error.code}, ${error.cause}`));

await registry.use('acme', (adapter) => adapter.say('ada', 'Lunch is ready'));
await registry.use('acme', async (adapter) => {
  server.drop('acme-bot');
  await once(adapter, 'closed');
});
// The instance died soon after its start, so the registry would pause before the next attempt.
registry.invalidate('acme');
await registry.use('acme', (adapter) => adapter.say('ada', 'and here I am again'));
await store.put({ ...acme, greeting: 'Good morning' });
await registry.use('acme', (adapter) => adapter.say('ada', 'with a new greeting'));
await registry.use('broken', () => {}).catch((error) => console.log(`a use of broken: ${error.code}`));
await registry.close();
await server.close();
console.log(`the server saw\n  ${server.log.join('\n  ')}`);
