/** Three replicas and six bots on a real PostgreSQL, against a Bot API on loopback. `npm run build` first. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { PostgresClaims, PostgresStore } from 'hydrant/postgres';
import { startPostgres } from '../../test/servers/support/postgres.mjs';
import { startBotApi } from './bot-api.mjs';

const BOTS = ['helper', 'sales', 'support', 'news', 'weather', 'quiz'];
const api = await startBotApi();
const postgres = await startPostgres();
const client = new pg.Client({ connectionString: postgres.url });
await client.connect();
await new PostgresClaims({ client }).migrate();
/** @type {PostgresStore<{ id: string, token: string, greeting: string }>} */
const store = new PostgresStore({ client });
await store.migrate();
for (const id of BOTS) await store.put({ id, token: `1:${id}`, greeting: 'You said' });

const replicas = ['A', 'B', 'C'].map((name) => ({
  name,
  process: fork(fileURLToPath(new URL('./replica.mjs', import.meta.url)), {
    env: { ...process.env, DATABASE_URL: postgres.url, BOT_API: `${api.url}/${name}`, REPLICA: name },
  }),
}));

/** @param {() => boolean} holds */
async function until(holds) {
  for (let tries = 0; !holds(); tries++) {
    if (tries === 3_000) throw new Error('waited for a minute');
    await delay(20);
  }
}
const pollers = () => BOTS.map((id) => api.pollerOf(`1:${id}`));
/** How many bots each replica polls. @param {string[]} names */
const shares = (names) => names.map((name) => pollers().filter((poller) => poller === name).length);

try {
  await until(() => shares(['A', 'B', 'C']).every((share) => share === 2));
  console.log('six bots, three replicas: each polls two');

  api.receive('1:helper', 'hello');
  await until(() => api.sent.length === 1);
  console.log(`a message to helper → ${api.sent[0]?.text}`);

  const [owner, other] = [true, false].map((owns) => replicas.find(({ name }) => (name === api.pollerOf('1:helper')) === owns));
  if (owner === undefined || other === undefined) throw new Error('nobody polls helper');
  other.process.send({ id: 'helper', text: 'Lunch is ready' });
  await until(() => api.sent.length === 2);
  console.log(`a replica that does not poll helper sends as helper → ${api.sent[1]?.text}`);

  owner.process.kill('SIGKILL');
  await once(owner.process, 'exit');
  const left = replicas.filter((replica) => replica !== owner);
  await until(() => shares(left.map(({ name }) => name)).every((share) => share === 3));
  console.log('kill -9 of the replica that polls helper: the two others poll three each');

  api.receive('1:helper', 'still there?');
  await until(() => api.sent.length === 3);
  console.log(`a message to helper → ${api.sent[2]?.text}`);
  console.log(`two replicas polled the same bot: ${api.conflicts} times`);

  for (const { process: child } of left) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
} finally {
  for (const { process: child } of replicas) child.kill('SIGKILL');
  await client.end();
  await postgres.stop();
  await api.close();
}
