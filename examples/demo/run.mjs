/**
 * `npm run demo`: the same traffic on a real PostgreSQL and three real gateway processes, first with a Map per process,
 * then through hydrant. Ends with one table, and with an exit code other than 0 when an expectation did not hold.
 */
import pg from 'pg';
import { startPostgres } from '../../test/servers/support/postgres.mjs';
import { startFakeSlackApi } from '../support/fake-slack-api.mjs';
import { build, isBuilt } from '../support/build.mjs';
import { BOTS_TABLE, writeBot } from './gateway/bots-table.mjs';
import { play } from './outcome.mjs';
import { Proxy } from './proxy.mjs';
import { BOOT_BOTS, SCENARIOS } from './scenarios.mjs';
import { table } from './table.mjs';
import { World } from './world.mjs';

const WAYS = {
  'naive': 'a Map per process; what is not in it is a 404',
  'naive + load': 'a Map per process; what is not in it is loaded',
  'hydrant': 'a ConnectionRegistry per process',
};

/** @param {string} text */
const say = (text) => console.log(`${(performance.now() / 1000).toFixed(1).padStart(5)} s  ${text}`);

/** What was started is ended in the opposite order, whatever happened. @type {(() => Promise<unknown>)[]} */
const ends = [];
const interrupted = new AbortController();
let ending = false;

/** @param {number} code */
async function end(code) {
  if (ending) return;
  ending = true;
  interrupted.abort();
  for (let undo = ends.pop(); undo !== undefined; undo = ends.pop()) await undo().catch((error) => console.error(error));
  process.exit(code);
}

/** @param {unknown} error */
function fail(error) {
  if (ending) return; // what was under way fails because it is being ended
  console.error(error);
  void end(1);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
for (const [signal, number] of /** @type {const} */ ([['SIGHUP', 1], ['SIGINT', 2], ['SIGTERM', 15]])) {
  process.on(signal, () => void end(128 + number));
}

/**
 * A database of its own for each way, so that neither finds what the other left.
 * @param {string} url
 */
async function createDatabase(url) {
  const name = `hydrant_demo_${process.pid}_${ends.length}`;
  const server = new pg.Client({ connectionString: url });
  await server.connect();
  await server.query(`create database ${name}`);
  ends.push(async () => {
    await server.query(`drop database ${name} with (force)`);
    await server.end();
  });
  const database = new URL(url);
  database.pathname = name;
  const client = new pg.Client({ connectionString: database.href });
  await client.connect();
  await client.query(BOTS_TABLE);
  for (const bot of BOOT_BOTS) await writeBot(client, bot);
  await client.end();
  return database.href;
}

if (!isBuilt()) {
  say('building the package, for its dist folder is missing or older than its source …');
  await build(interrupted.signal);
}

say('starting a PostgreSQL, a Slack API and a balancer on loopback …');
const starting = startPostgres();
ends.push(async () => (await starting.catch(() => undefined))?.stop());
const postgres = await starting;
interrupted.signal.throwIfAborted();
const slack = await startFakeSlackApi({ latencyMs: 80 });
ends.push(() => slack.close());
const proxy = new Proxy();
ends.push(() => proxy.close());
const origin = await proxy.listen();

const played = SCENARIOS.map(({ title }) => ({ title, outcomes: new Map() }));
let broken = 0;
for (const [way, description] of Object.entries(WAYS)) {
  say('');
  say(`${way}: ${description}`);
  const world = new World({ way, databaseUrl: await createDatabase(postgres.url), slack, proxy, origin });
  ends.push(() => world.close());
  for (const [index, scenario] of SCENARIOS.entries()) {
    interrupted.signal.throwIfAborted();
    const outcome = await play(scenario, world);
    played[index]?.outcomes.set(way, outcome);
    const expectations = way === 'hydrant' ? scenario.hydrant : way === 'naive' ? scenario.naive : () => ({});
    const held = Object.entries(expectations(outcome));
    say(`  ${scenario.title}${held.map(([what, holds]) => `\n${' '.repeat(12)}${holds ? '✓' : '✗ NOT SO:'} ${what}`).join('')}`);
    broken += held.filter(([, holds]) => !holds).length;
  }
  await world.close();
}

const legend = Object.entries(WAYS).map(([way, description]) => `${way}: ${description}`).join('\n');
console.log(`\n${table(played)}\n${legend}\n`);
say(broken === 0 ? 'every expectation held' : `${broken} expectations did not hold`);
await end(broken === 0 ? 0 : 1);
