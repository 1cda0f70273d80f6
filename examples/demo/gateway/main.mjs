/**
 * One replica: `node main.mjs <framework> <way>`, started by the demo, which it talks to over Node's IPC channel.
 *
 * @typedef {import('./slack-bot.mjs').Bot} Bot
 *
 * @typedef {object} Surroundings what a way of keeping connections is given
 * @property {import('pg').Pool} database
 * @property {(event: 'create' | 'row' | 'version') => void} report a bot is started, a row is read, a version is read
 *
 * @typedef {object} Gateway
 * @property {(id: string, request: Request) => Promise<Response>} handleWebhook
 * @property {(bot: Bot) => Promise<void>} put the admin API: installs, edits or stops a bot, on this replica
 * @property {(id: string) => boolean} isLive
 * @property {() => number} live how many bots it holds
 * @property {() => Promise<void>} close
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { listen } from './http.mjs';

// Ends when the demo ends, even if the demo crashes.
process.once('disconnect', () => process.exit(1));
if (!process.connected) process.exit(1);

const [framework = '', way = ''] = process.argv.slice(2);
/** @param {Record<string, unknown>} message */
const tell = (message) => { if (process.connected) process.send?.(message); };
/** @param {'create' | 'row' | 'version'} event */
const report = (event) => tell({ event });

const database = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 });

/** @type {Record<string, () => Promise<Gateway>>} */
const ways = {
  'naive': async () => (await import('./naive.mjs')).naiveGateway({ database, report, loadOnMiss: false }),
  'naive + load': async () => (await import('./naive.mjs')).naiveGateway({ database, report, loadOnMiss: true }),
  'hydrant': async () => (await import('./hydrant.mjs')).hydrantGateway({ database, report }),
};
const gateway = await ways[way]?.();
if (gateway === undefined) throw new Error(`unknown way '${way}'`);
const server = await listen(framework, gateway);

/** @type {(value?: unknown) => void} */
let leaveRotation = () => {};
const outOfRotation = new Promise((resolve) => { leaveRotation = resolve; });

/** The calls of the demo. */
const calls = {
  /** @param {Bot} bot */
  put: (bot) => gateway.put(bot),
  /** @param {string} id */
  isLive: (id) => gateway.isLive(id),
  live: () => gateway.live(),
  /** Answered in order, so all earlier reports have arrived. */
  flush: () => undefined,
  /** The balancer sends no more requests here. */
  leaveRotation: () => leaveRotation(),
};

process.on(
  'message',
  async (/** @type {{ call: keyof typeof calls, number: number, argument: any }} */ { call, number, argument }) => {
    try {
      tell({ number, result: await calls[call](argument) });
    } catch (error) {
      tell({ number, error: String(error) });
    }
  },
);

process.once('SIGTERM', async () => {
  tell({ event: 'draining' }); // the readiness probe fails from here on,
  await outOfRotation; //         the balancer sees it and sends no more,
  // what it had sent by then arrives (in steps: a process that was starved must get to its sockets between two),
  for (let step = 0; step < 15; step++) await delay(10);
  await server.close(); //        and is answered
  await gateway.close();
  await database.end();
  process.exit(0);
});

tell({ event: 'ready', port: server.port });
