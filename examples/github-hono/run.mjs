/** A GitHub API on loopback that is down when the first delivery comes. `npm run build` first. */
import { serve } from '@hono/node-server';
import { MemoryStore } from 'hydrant';
import { issueOpened } from '../support/github-sender.mjs';
import { startRecordingServer } from '../support/recording-server.mjs';
import { createGateway } from './gateway.mjs';

let isDown = true;
const github = await startRecordingServer(({ path }) => {
  if (isDown) return { status: 502 };
  return { json: path.endsWith('/labels') ? [{ name: 'crash' }] : { id: 1 } };
});
const store = new MemoryStore([{ id: 'acme', repository: 'acme/widgets', token: 't', secret: 'new', previousSecret: 'old' }]);
/** @type {Map<string, import('./factory.mjs').Kept>} */
const inbox = new Map();
const { app, registry, replay } = createGateway({ store, inbox, apiUrl: github.url, failureBackoff: { initialMs: 0, maxMs: 0 } });
registry.on('hydrationFailed', ({ error }) => console.log(`${error.code}: ${error.cause}`));
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
await new Promise((resolve) => { server.once('listening', resolve); });
const url = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/github/acme`;

/** @param {string} what @param {RequestInit} request */
async function show(what, request) {
  const { status } = await fetch(url, request);
  console.log(`${what} → ${status}, ${inbox.size} kept`);
}

await show('an issue while GitHub is down', await issueOpened({ secret: 'new', title: 'A crash on start' }));
await show('a forged one', await issueOpened({ secret: 'a guess' }));
isDown = false;
await replay();
console.log(`replayed, ${inbox.size} kept`);
await show('an issue signed with the old secret', await issueOpened({ secret: 'old', number: 2 }));
server.close();
await registry.close();
await github.close();
for (const { method, path, body } of github.received) console.log(`GitHub got ${method} ${path} ${body}`.trimEnd());
