/** One replica: the gateway's process. `run.mjs` starts three of them. */
import pg from 'pg';
import { PostgresClaims, PostgresStore } from 'hydrant/postgres';
import { createAccounts } from './accounts.mjs';
import { createOutbox } from './outbox.mjs';

const { DATABASE_URL: connectionString, PLATFORM_PORT, REPLICA: replicaName = '' } = process.env;
const pool = new pg.Pool({ connectionString, max: 5 });
const claimsPool = new pg.Pool({ connectionString, max: 2, connectionTimeoutMillis: 1_000, query_timeout: 1_000 });
for (const each of [pool, claimsPool]) each.on('error', () => {});

const outbox = createOutbox(pool);
const listener = new pg.Client({ connectionString });
listener.on('error', () => {}); // a message without a notification is found a second later
listener.on('notification', ({ payload }) => outbox.notified(payload ?? ''));
await listener.connect();
await listener.query('listen outbox');

/** @type {PostgresStore<{ id: string, account: string }>} */
const store = new PostgresStore({ client: pool });
const claims = new PostgresClaims({ client: claimsPool, listenClient: () => new pg.Client({ connectionString }) });
const { registry, sockets } = createAccounts({ store, claims, outbox, port: Number(PLATFORM_PORT), ttlMs: 3_000, replicaName });
sockets.start();

/** The application sends a message. Every replica can. */
let last = Promise.resolve();
process.on('message', (/** @type {{ id: string, text: string }} */ { id, text }) => {
  last = last.then(() => registry.use(id, (account) => account.send(text))); // in the order in which they came
});
process.once('SIGTERM', async () => {
  await sockets.stop();
  await registry.close();
  await Promise.all([pool.end(), claimsPool.end(), listener.end()]);
  process.exit(0);
});
