import { fork } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { median } from '../measure/rounds.mjs';

const SECRET = 'a secret of thirty-two characters';
const BODY = JSON.stringify({ type: 'event_callback', text: 'hello '.repeat(30) });
const HEADERS = { 'content-type': 'application/json', 'x-signature': createHmac('sha256', SECRET).update(BODY).digest('hex') };
const LIVE = 100;
const WAYS = ['hydrant', 'fetch', 'native'];

/**
 * Signed webhooks over loopback: each framework with hydrant and with a bare Map, in turns of a second. A second ratio is
 * of the servers' processor time per request, which what else the machine does hardly touches.
 */
export async function http({ rounds: most, turnSeconds = 1 }) {
  const rounds = Math.min(most, 7);
  const results = [];
  for (const framework of ['express', 'fastify', 'hono']) {
    const servers = {};
    for (const way of WAYS) servers[way] = await start(framework, way);
    const turns = Object.fromEntries(WAYS.map((way) => [way, []]));
    for (let round = -2; round < rounds; round += 1) {
      for (let turn = 0; turn < WAYS.length; turn += 1) {
        const way = WAYS[(turn + round + 2) % WAYS.length];
        const { child, port } = servers[way];
        const before = await cpu(child);
        const warm = await fire(port, { duration: turnSeconds, connections: 16, pathOf: (count) => `live-${count % LIVE}` });
        const after = await cpu(child);
        const cold = await fire(port, { amount: 200, connections: 4, pathOf: (count) => `cold-${round}-${count}` });
        // The first rounds warm up.
        if (round < 0) continue;
        turns[way].push({
          perSecond: warm.requests.average, p50: warm.latency.p50, p99: warm.latency.p99, coldP99: cold.latency.p99,
          cpu: (after.user + after.system - before.user - before.system) / warm.requests.total,
        });
      }
    }
    for (const { child } of Object.values(servers)) child.disconnect();
    const against = (way, of) => median(turns.hydrant.map((turn, round) => of(turn) / of(turns[way][round])));
    results.push({
      framework,
      ...Object.fromEntries(WAYS.map((way) => [way, {
        ...Object.fromEntries(['perSecond', 'cpu', 'p50', 'p99', 'coldP99'].map((name) => [name, median(turns[way].map((turn) => turn[name]))])),
        throughput: against(way, ({ perSecond }) => perSecond),
        times: against(way, (turn) => turn.cpu),
      }])),
    });
  }
  return results;
}

function start(framework, way) {
  const child = fork(fileURLToPath(new URL('../http-server.mjs', import.meta.url)), [framework, way], { execArgv: [] });
  return new Promise((resolve, reject) => {
    child.once('message', (port) => resolve({ child, port }));
    child.once('exit', (code) => reject(new Error(`${framework} with ${way} ended with ${code}`)));
  });
}

async function cpu(child) {
  child.send('cpu');
  return (await once(child, 'message'))[0];
}

async function fire(port, { pathOf, ...options }) {
  let count = 0;
  const result = await autocannon({
    url: `http://127.0.0.1:${port}`, method: 'POST', headers: HEADERS, body: BODY, ...options,
    requests: [{ setupRequest: (request) => ({ ...request, path: `/webhooks/${pathOf(count++)}` }) }],
  });
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} refusals and ${result.errors} errors on port ${port}`);
  return result;
}
