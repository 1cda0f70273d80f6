import { fork } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { median } from '../measure/rounds.mjs';

const SECRET = 'a secret of thirty-two characters';
const BODY = JSON.stringify({ type: 'event_callback', text: 'hello '.repeat(30) });
const HEADERS = { 'content-type': 'application/json', 'x-signature': createHmac('sha256', SECRET).update(BODY).digest('hex') };
const LIVE = 100;

/** Signed webhooks over loopback: each framework with hydrant and with a bare Map, in turns of a second. */
export async function http({ httpRounds: rounds = 7 }) {
  const results = [];
  for (const framework of ['express', 'fastify', 'hono']) {
    const servers = { map: await start(framework, 'map'), hydrant: await start(framework, 'hydrant') };
    const turns = { map: [], hydrant: [] };
    const cold = { map: [], hydrant: [] };
    for (let round = -1; round < rounds; round += 1) {
      for (const way of round % 2 === 0 ? ['map', 'hydrant'] : ['hydrant', 'map']) {
        const warm = await fire(servers[way].port, { duration: 1, connections: 16, pathOf: (count) => `live-${count % LIVE}` });
        const first = await fire(servers[way].port, { amount: 200, connections: 4, pathOf: (count) => `cold-${round}-${count}` });
        // The first round warms up.
        if (round < 0) continue;
        turns[way].push(warm);
        cold[way].push(first.latency.p99);
      }
    }
    for (const { child } of Object.values(servers)) child.disconnect();
    results.push({
      framework,
      ratio: median(turns.hydrant.map((turn, round) => rate(turn) / rate(turns.map[round]))),
      ...Object.fromEntries(['map', 'hydrant'].map((way) => [way, {
        perSecond: median(turns[way].map(rate)),
        p50Ms: median(turns[way].map(({ latency }) => latency.p50)),
        p99Ms: median(turns[way].map(({ latency }) => latency.p99)),
        coldP99Ms: median(cold[way]),
      }])),
    });
  }
  return results;
}

const rate = ({ requests }) => requests.average;

function start(framework, way) {
  const child = fork(fileURLToPath(new URL('../http-server.mjs', import.meta.url)), [framework, way], { execArgv: [] });
  return new Promise((resolve, reject) => {
    child.once('message', (port) => resolve({ child, port }));
    child.once('exit', (code) => reject(new Error(`${framework} with ${way} ended with ${code}`)));
  });
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
