import { fork } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { median, quantile } from '../measure/rounds.mjs';

const SECRET = 'a secret of thirty-two characters';
const BODY = JSON.stringify({ type: 'event_callback', text: 'hello '.repeat(30) });
const HEADERS = { 'content-type': 'application/json', 'x-signature': createHmac('sha256', SECRET).update(BODY).digest('hex') };
const LIVE = 100;
const WAYS = ['hydrant', 'fetch', 'native'];

/** Requests in a turn: few, so that what else the machine does falls on all alike. */
const WARM = 800;
const COLD = 100;
const WARM_UP_ROUNDS = 3;

/**
 * Signed webhooks over loopback: each framework with hydrant and with a bare Map, in short turns. A second ratio is of the
 * servers' processor time per request, which what else the machine does touches less.
 */
export async function http({ rounds }) {
  const results = [];
  for (const framework of ['express', 'fastify', 'hono']) {
    const servers = {};
    for (const way of WAYS) servers[way] = await start(framework, way);
    const turns = Object.fromEntries(WAYS.map((way) => [way, []]));
    for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
      for (let turn = 0; turn < WAYS.length; turn += 1) {
        const way = WAYS[(turn + round + WARM_UP_ROUNDS) % WAYS.length];
        const { child, port } = servers[way];
        const before = await cpu(child);
        const warm = await fire(port, { amount: WARM, connections: 16, pathOf: (count) => `live-${count % LIVE}` });
        const after = await cpu(child);
        const cold = await fire(port, { amount: COLD, connections: 4, pathOf: (count) => `cold-${round}-${count}` });
        // The first rounds warm up.
        if (round < 0) continue;
        turns[way].push({
          perSecond: WARM / warm.seconds, warm: warm.times, cold: cold.times,
          cpu: (after.user + after.system - before.user - before.system) / WARM,
        });
      }
    }
    for (const { child } of Object.values(servers)) child.disconnect();
    const against = (way, of) => median(turns.hydrant.map((turn, round) => of(turn) / of(turns[way][round])));
    results.push({
      framework,
      ...Object.fromEntries(WAYS.map((way) => [way, {
        ...Object.fromEntries(['perSecond', 'cpu'].map((name) => [name, median(turns[way].map((turn) => turn[name]))])),
        ...Object.fromEntries(['warm', 'cold'].map((name) => [name, latencies(turns[way].flatMap((turn) => turn[name]))])),
        throughput: against(way, ({ perSecond }) => perSecond),
        times: against(way, (turn) => turn.cpu),
      }])),
    });
  }
  return results;
}

/** The processor time of the adapters of one build, per request, against that of another one, in turns. */
export async function httpOf({ rounds, entries }) {
  const results = [];
  for (const framework of ['express', 'fastify', 'hono']) {
    const servers = [];
    for (const entry of entries) servers.push(await start(framework, 'hydrant', entry));
    const turns = servers.map(() => []);
    for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
      for (let turn = 0; turn < servers.length; turn += 1) {
        const at = (turn + round + WARM_UP_ROUNDS) % servers.length;
        const { child, port } = servers[at];
        const before = await cpu(child);
        await fire(port, { amount: WARM, connections: 16, pathOf: (count) => `live-${count % LIVE}` });
        const after = await cpu(child);
        if (round >= 0) turns[at].push((after.user + after.system - before.user - before.system) / WARM);
      }
    }
    for (const { child } of servers) child.disconnect();
    const ratios = turns[0].map((time, round) => time / turns[1][round]);
    results.push({ name: framework, ratio: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) });
  }
  return results;
}

/** @param entry - another build than that of the working tree */
function start(framework, way, entry) {
  const env = entry === undefined ? process.env : { ...process.env, HYDRANT_ENTRY: entry };
  const child = fork(fileURLToPath(new URL('../http-server.mjs', import.meta.url)), [framework, way], { execArgv: [], env });
  return new Promise((resolve, reject) => {
    child.once('message', (port) => resolve({ child, port }));
    child.once('exit', (code) => reject(new Error(`${framework} with ${way} ended with ${code}`)));
  });
}

async function cpu(child) {
  child.send('cpu');
  return (await once(child, 'message'))[0];
}

/** Over all rounds together, because the 99th percentile of one round would be its slowest request. */
const latencies = (times) => ({ p50: median(times), p99: quantile(times, 0.99) });

/** Its own clock: what autocannon measures ends with a whole second. */
async function fire(port, { amount, pathOf, ...options }) {
  let count = 0;
  const times = [];
  let end = 0;
  const began = performance.now();
  const run = autocannon({
    url: `http://127.0.0.1:${port}`, method: 'POST', headers: HEADERS, body: BODY, amount, ...options,
    requests: [{ setupRequest: (request) => ({ ...request, path: `/webhooks/${pathOf(count++)}` }) }],
  });
  run.on('response', (_client, _status, _bytes, ms) => {
    times.push(ms);
    if (times.length === amount) end = performance.now();
  });
  const { non2xx, errors } = await run;
  if (non2xx > 0 || errors > 0 || end === 0)
    throw new Error(`${non2xx} refusals, ${errors} errors and ${times.length} answers on port ${port}`);
  return { times, seconds: (end - began) / 1_000 };
}
