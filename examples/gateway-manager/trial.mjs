import { readFileSync } from 'node:fs';
import { settle } from 'hydrant/testing';
import { GatewayManager as ByHand } from './by-hand.mjs';
import { GatewayManager as WithHydrant } from './with-hydrant.mjs';
import { createWorld } from './world.mjs';

/** @typedef {import('./world.mjs').World} World */
/** @typedef {typeof ByHand | typeof WithHydrant} Manager */

/**
 * A row, and its secrets in the vault.
 *
 * @param {World} world @param {string} id @param {Partial<import('./world.mjs').Row>} [changes]
 */
export async function rowOf({ vault }, id, changes) {
  await Promise.all([vault.put(`${id}/token`, `token of ${id}`), vault.put(`${id}/hook`, `hook of ${id}`)]);
  /** @type {import('./world.mjs').Row} */
  const row = {
    id, status: 'active', mode: 'webhook', greeting: 'Hello', tokenRef: `${id}/token`, hookRef: `${id}/hook`,
    restarts: 0, health: 'new', lastError: undefined,
  };
  return { ...row, ...changes };
}

/** @param {string} id @param {string} [secret] */
const message = (id, secret = `hook of ${id}`) =>
  new Request('http://gateway/', { method: 'POST', headers: { 'x-hook-secret': secret }, body: 'Ada' });

/** @param {number} count @param {(n: number) => Promise<Response>} deliver */
const deliveries = (count, deliver) => Promise.all(Array.from({ length: count }, (_, n) => deliver(n)));

/**
 * One cell of the table. Two replicas of a manager produce it.
 *
 * @typedef {(trial: { world: World, one: InstanceType<Manager>, two: InstanceType<Manager> }) => Promise<unknown>} Comparison
 */

/** @type {Record<string, Comparison>} */
const COMPARISONS = {
  async 'three bots in the table, both replicas boot: starts'({ world }) {
    return world.platform.starts;
  },
  async 'twenty webhooks at once for a cold bot: starts'({ world, one }) {
    await world.table.insert(await rowOf(world, 'cold'));
    const before = world.platform.starts;
    await deliveries(20, () => one.webhook('cold', message('cold')));
    return world.platform.starts - before;
  },
  async 'a forged webhook for a cold bot: starts'({ world, one }) {
    await world.table.insert(await rowOf(world, 'cold'));
    const before = world.platform.starts;
    await one.webhook('cold', message('cold', 'a guess'));
    return world.platform.starts - before;
  },
  async 'fifty webhooks in two bursts, a minute apart, to a bot that fails to start: starts'({ world, one }) {
    await world.table.insert(await rowOf(world, 'broken'));
    world.platform.failing.add('token of broken');
    const before = world.platform.starts;
    await deliveries(25, () => one.webhook('broken', message('broken')));
    await world.clock.advance(60_000);
    await deliveries(25, () => one.webhook('broken', message('broken')));
    return world.platform.starts - before;
  },
  async 'what the row says of such a bot'({ world, one }) {
    await world.table.insert(await rowOf(world, 'broken'));
    world.platform.failing.add('token of broken');
    await one.webhook('broken', message('broken'));
    await settle();
    const [row] = await world.table.read(['broken']);
    return `${row?.health}: ${row?.lastError}`;
  },
  async 'an edit while a webhook is handled: its answer'({ world, one }) {
    const letGo = holdHandlers(world);
    const answer = one.webhook('a', message('a'));
    await settle();
    await one.edit('a', { greeting: 'Good morning' });
    letGo();
    return said(await answer);
  },
  async 'a message after an edit on the other replica'({ one, two }) {
    await two.post('a', 'Ada');
    await one.edit('a', { greeting: 'Good morning' });
    return two.post('a', 'Ada');
  },
  async 'a message after a stop on the other replica'({ one, two }) {
    await two.post('a', 'Ada');
    await one.stop('a');
    return two.post('a', 'Ada').catch((error) => error.code ?? error.message);
  },
  async 'a row asked for, inserted, and used at once'({ world, one }) {
    await one.webhook('new', message('new'));
    await one.add(await rowOf(world, 'new'));
    return one.post('new', 'Ada');
  },
  async 'a start that takes a minute, tried twice, then close: bots left running'({ world, one, two }) {
    await world.table.insert(await rowOf(world, 'slow'));
    world.platform.slow.add('token of slow');
    for (let tries = 0; tries < 2; tries++) {
      const answer = one.webhook('slow', message('slow'));
      await world.clock.advance(31_000);
      await answer;
    }
    await world.clock.advance(120_000);
    await Promise.all([one.close(), two.close()]);
    return world.platform.running.size;
  },
  async 'a polling replica cannot reach the claims for two minutes: seconds in which two replicas poll'({ world, one, two }) {
    const { clock, cut, platform } = world;
    await one.add(await rowOf(world, 'poller', { mode: 'polling' }));
    await clock.advance(60_000);
    const other = one.polls('poller') ? two : one;
    cut.add(other === two ? 'one' : 'two');
    let seconds = 0;
    for (let second = 0; second < 120; second++) {
      await clock.advance(1_000);
      if ((platform.polls.get('token of poller') ?? 0) > 1) seconds += 1;
    }
    return other.polls('poller') ? seconds : 'nobody took over';
  },
};

/** @param {World} world */
function holdHandlers({ platform }) {
  /** @type {() => void} */
  let letGo = () => {};
  platform.handlersMayGoOn = new Promise((resolve) => { letGo = resolve; });
  return letGo;
}

/** @param {Response} response */
const said = async (response) => `${response.status} ${response.ok ? await response.text() : ''}`.trim();

/**
 * Runs every comparison against both managers, each in a world of its own.
 *
 * @returns {Promise<{ what: string, byHand: string, withHydrant: string }[]>}
 */
export async function trial() {
  const rows = [];
  for (const [what, compare] of Object.entries(COMPARISONS)) {
    rows.push({ what, byHand: await outcome(ByHand, compare), withHydrant: await outcome(WithHydrant, compare) });
  }
  return [...rows, {
    what: 'lines of the manager, without comments and blank lines',
    byHand: linesOf('by-hand.mjs'),
    withHydrant: linesOf('with-hydrant.mjs'),
  }];
}

/** @param {Manager} GatewayManager @param {Comparison} compare */
async function outcome(GatewayManager, compare) {
  const world = createWorld();
  for (const id of ['a', 'b', 'c']) await world.table.insert(await rowOf(world, id));
  const [one, two] = [new GatewayManager(world, 'one'), new GatewayManager(world, 'two')];
  await Promise.all([one.boot(), two.boot()]);
  const seen = await compare({ world, one, two });
  await inTime(Promise.all([one.close(), two.close()]), world);
  return String(seen);
}

/** Closing may wait for time to pass. @param {Promise<unknown>} work @param {World} world */
async function inTime(work, { clock }) {
  const second = async () => {
    await clock.advance(1_000);
    return second;
  };
  while (await Promise.race([work, second()]) === second) continue;
}

/** @param {string} file */
function linesOf(file) {
  const code = readFileSync(new URL(file, import.meta.url), 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
  return String(code.split('\n').filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length);
}
