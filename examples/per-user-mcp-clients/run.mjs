/** Two users of an MCP server on loopback, one of whose tokens expires. `npm run build` first. */
import { MemoryStore } from 'hydrant';
import { startMcpServer } from '../support/mcp-server.mjs';
import { createClients } from './clients.mjs';

const users = new Map([['token-1', 'ada'], ['token-2', 'eve']]);
const server = await startMcpServer(users);
const store = new MemoryStore([
  { id: 'ada:calendar', url: server.url, accessToken: 'token-1' },
  { id: 'eve:calendar', url: server.url, accessToken: 'token-2' },
]);
const { registry, call, tools } = createClients({ store });
registry.on('retired', ({ id, cause }) => console.log(`${id} is retired: ${/** @type {any} */ (cause).status}`));
registry.on('hydrated', ({ id }) => console.log(`${id} is connected`));

/** @param {string} grant */
const whoami = (grant) =>
  call(grant, 'whoami').then(
    ({ content }) => /** @type {any} */ (content)[0].text,
    (error) => `failed with ${error.status}`,
  );

const protocol = () => registry.use('ada:calendar', ({ client }) => client.getNegotiatedProtocolVersion());
console.log(`tools of ada → ${await tools('ada:calendar')}`);
console.log(`protocol → ${await protocol()}, without sessions`);
console.log(`50 calls at once → ${[...new Set(await Promise.all(Array.from({ length: 50 }, () => whoami('ada:calendar'))))]}`);
console.log(`eve → ${await whoami('eve:calendar')}`);
users.delete('token-1');
users.set('token-3', 'ada');
console.log(`ada, after her token expired → ${await whoami('ada:calendar')}`);
await store.put({ id: 'ada:calendar', url: server.url, accessToken: 'token-3' });
console.log(`ada, after it was refreshed → ${await whoami('ada:calendar')}`);
await registry.close();
await server.close();
