/**
 * `npm run demo`: the same traffic on a real PostgreSQL and real gateway processes, with a Map per process and through
 * hydrant. Prints one table. The exit code is not 0 when an expectation did not hold.
 *
 * `npm run demo -- --watch` also serves a page on loopback, and begins when a browser opens it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startPostgres } from '../../test/servers/support/postgres.mjs';
import { startFakeSlackApi } from '../support/fake-slack-api.mjs';
import { build, isBuilt } from '../support/build.mjs';
import { createDatabase } from './databases.mjs';
import { Ends } from './ends.mjs';
import { play } from './outcome.mjs';
import { Proxy } from './proxy.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { statusesOf, table } from './table.mjs';
import { DemoView } from './watch/view.mjs';
import { World } from './world.mjs';

const { watch } = parseArgs({ options: { watch: { type: 'boolean', default: false } } }).values;

const WAYS = {
  'naive': 'a Map per process; what is not in it is a 404',
  'naive + load': 'a Map per process; what is not in it is loaded',
  'hydrant': 'a ConnectionRegistry per process',
};

/** @param {string} text */
const say = (text) => console.log(`${(performance.now() / 1000).toFixed(1).padStart(5)} s  ${text}`);

const ends = new Ends();
ends.watchProcess();

if (!isBuilt()) {
  say('building the package, because its dist folder is missing or older than its source …');
  await build(ends.signal);
}

say('starting a PostgreSQL, and a Slack API and a balancer for each way, on loopback …');
const starting = startPostgres();
ends.add(async () => (await starting.catch(() => undefined))?.stop());
const postgres = await starting;
const view = new DemoView(SCENARIOS);
/** @type {World[]} */
const worlds = [];
for (const [index, [way, description]] of Object.entries(WAYS).entries()) {
  ends.signal.throwIfAborted();
  const database = await createDatabase(postgres.url, `hydrant_demo_${process.pid}_${index}`);
  ends.add(() => database.drop());
  const slack = await startFakeSlackApi({ latencyMs: 80 });
  ends.add(() => slack.close());
  const proxy = new Proxy();
  ends.add(() => proxy.close());
  const world = new World({ way, databaseUrl: database.url, slack, proxy, origin: await proxy.listen() });
  ends.add(() => world.close());
  view.add(world, description);
  worlds.push(world);
}
const page = watch ? await startWatching() : undefined;

const played = SCENARIOS.map(({ title }) => ({ title, outcomes: new Map() }));
let broken = 0;
for (const [index, scenario] of SCENARIOS.entries()) {
  say(scenario.title);
  for (const world of worlds) {
    ends.signal.throwIfAborted();
    view.begin(index, scenario, world.way);
    const outcome = await play(scenario, world);
    played[index]?.outcomes.set(world.way, outcome);
    const expectations = world.way === 'hydrant' ? scenario.hydrant : world.way === 'naive' ? scenario.naive : () => ({});
    const held = expectations(outcome);
    view.finish(statusesOf(outcome), held);
    for (const [words, holds] of Object.entries(held)) say(`  ${world.way}: ${holds ? '✓' : '✗ NOT SO:'} ${words}`);
    broken += Object.values(held).filter((holds) => !holds).length;
    if (watch) await delay(500); // time to look at it
  }
}
view.end();
await page?.heardTheEnd();

const legend = Object.entries(WAYS).map(([way, description]) => `${way}: ${description}`).join('\n');
console.log(`\n${table(played)}\n${legend}\n`);
say(broken === 0 ? 'every expectation held' : `${broken} expectations did not hold`);
await ends.run(broken === 0 ? 0 : 1);

/** Serves the page, and waits until a browser opens it. */
async function startWatching() {
  const { servePage } = await import('./watch/server.mjs');
  const served = await servePage(view);
  ends.add(() => served.close());
  const asking = setInterval(() => {
    for (const { replicas } of worlds) for (const replica of replicas) if (replica.isRunning) void replica.askLive();
  }, 250);
  ends.add(async () => clearInterval(asking));
  say(`open ${served.origin}/ in a browser: the demo begins then`);
  await Promise.race([served.opened, new Promise((resolve) => { ends.signal.addEventListener('abort', resolve); })]);
  return served;
}
