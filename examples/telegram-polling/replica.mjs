/** One replica: the gateway's process. `run.mjs` starts three of them. */
import pg from 'pg';
import { PostgresClaims, PostgresStore } from 'hydrant/postgres';
import { createBots } from './bots.mjs';
import { createPoller } from './poller.mjs';

const { DATABASE_URL: connectionString, BOT_API: apiRoot = '', REPLICA: replicaName = '' } = process.env;
const pool = new pg.Pool({ connectionString, max: 5 });
// Renewals must not wait for a connection behind other queries.
const claimsPool = new pg.Pool({ connectionString, max: 2, connectionTimeoutMillis: 1_000, query_timeout: 1_000 });
for (const each of [pool, claimsPool]) each.on('error', () => {});

/** @type {PostgresStore<{ id: string, token: string, greeting: string }>} */
const store = new PostgresStore({ client: pool });
const claims = new PostgresClaims({ client: claimsPool, listenClient: () => new pg.Client({ connectionString }) });
const registry = createBots({ store, apiRoot });
const poller = createPoller({ registry, claims, store, ttlMs: 3_000, replicaName });
poller.start();

/** The application sends a message. Every replica can. */
process.on('message', async (/** @type {{ id: string, text: string }} */ { id, text }) => {
  await registry.use(id, (bot) => bot.api.sendMessage(7, text));
});
process.once('SIGTERM', async () => {
  await poller.stop();
  await registry.close();
  await Promise.all([pool.end(), claimsPool.end()]);
  process.exit(0);
});
