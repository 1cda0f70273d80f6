/** Three replicas and six accounts on a real PostgreSQL, against a platform on loopback. `npm run build` first. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { PostgresClaims, PostgresStore } from 'hydrant/postgres';
import { startPostgres } from '../../test/servers/support/postgres.mjs';
import { OUTBOX_TABLE } from './outbox.mjs';
import { startPlatform } from './platform.mjs';

const ACCOUNTS = ['ada', 'ben', 'cleo', 'dora', 'emil', 'fay'];
const platform = await startPlatform();
const postgres = await startPostgres();
const client = new pg.Client({ connectionString: postgres.url });
await client.connect();
await client.query(OUTBOX_TABLE);
await new PostgresClaims({ client }).migrate();
/** @type {PostgresStore<{ id: string, account: string }>} */
const store = new PostgresStore({ client });
await store.migrate();
for (const account of ACCOUNTS) await store.put({ id: account, account });

const replicas = ['A', 'B', 'C'].map((name) => ({
  name,
  process: fork(fileURLToPath(new URL('./replica.mjs', import.meta.url)), {
    env: { ...process.env, DATABASE_URL: postgres.url, PLATFORM_PORT: String(platform.port), REPLICA: name },
  }),
}));

/** @param {() => boolean} holds */
async function until(holds) {
  for (let tries = 0; !holds(); tries++) {
    if (tries === 3_000) throw new Error('waited for a minute');
    await delay(20);
  }
}
/** How many sockets each replica has. @param {string[]} names */
const shares = (names) => names.map((name) => ACCOUNTS.filter((account) => platform.ownerOf(account) === name).length);

try {
  await until(() => shares(['A', 'B', 'C']).every((share) => share === 2));
  console.log('six accounts, three replicas: each has two sockets');

  const owner = replicas.find(({ name }) => name === platform.ownerOf('ada'));
  const other = replicas.find((replica) => replica !== owner);
  if (owner === undefined || other === undefined) throw new Error('ada has no socket');
  other.process.send({ id: 'ada', text: 'hello' });
  await until(() => platform.delivered.length === 1);
  const { text, by } = platform.delivered[0] ?? {};
  console.log(
    `ada sends from a replica without her socket → "${text}", over `
      + `${by === owner.name ? 'the socket of its owner' : 'another socket'}`,
  );

  owner.process.kill('SIGKILL');
  await once(owner.process, 'exit');
  for (const word of ['one', 'two', 'three']) other.process.send({ id: 'ada', text: word });
  await until(() => platform.delivered.length === 4);
  console.log(
    `kill -9 of the owner, three messages meanwhile → ${platform.delivered
      .slice(1)
      .map((message) => `"${message.text}"`)
      .join(', ')}, by the next owner`,
  );
  const left = replicas.filter((replica) => replica !== owner);
  await until(() => shares(left.map(({ name }) => name)).every((share) => share === 3));

  const [leaver, last] = left;
  leaver?.process.kill('SIGTERM');
  await until(() => shares([last?.name ?? '']).every((share) => share === 6));
  console.log('SIGTERM to one of the two: the last one has all six');
  console.log(`an account was logged in twice: ${platform.replaced} times`);
  last?.process.kill('SIGTERM');
  for (const { process: child } of left) if (child.exitCode === null) await once(child, 'exit');
} finally {
  for (const { process: child } of replicas) child.kill('SIGKILL');
  await client.end();
  await postgres.stop();
  await platform.close();
}
