// The long chaos run: five processes with 200 connections each, one fault at a time, on PostgreSQL and on Redis through
// both drivers, with the options that README shows, and the plain heartbeat loop as negative control.
//   node test/servers/exclusive/chaos/run.mjs --kind ioredis --clients tuned --rounds 1 --ttl 3000
// Exits with 1 if a promise does not hold.
import { parseArgs } from 'node:util';
import { startPostgres } from '../../support/postgres.mjs';
import { startRedis } from '../../support/redis.mjs';
import { ChaosCluster, bundlePackage } from './harness.mjs';
import { describe, faults, missed } from './scenarios.mjs';
import { administer } from './servers.mjs';

const { values } = parseArgs({ options: {
  kind: { type: 'string', default: 'postgres,ioredis,node-redis' },
  clients: { type: 'string', default: 'documented' },
  rounds: { type: 'string', default: '1' },
  ttl: { type: 'string', default: '3000' },
  replicas: { type: 'string', default: '5' },
  connections: { type: 'string', default: '1000' },
  only: { type: 'string', default: '' },
  control: { type: 'boolean', default: true },
} });
const settings = { ttlMs: Number(values.ttl), replicas: Number(values.replicas), connections: Number(values.connections) };
const chosen = Object.keys(faults).filter((name) => values.only === '' || values.only.split(',').includes(name));
const bundle = await bundlePackage();
let failed = false;

for (const kind of values.kind.split(',')) {
  const started = await (kind === 'postgres' ? startPostgres() : startRedis());
  const server = await administer(kind, started.url, bundle);
  try {
    await hydrant(kind, server);
    if (values.control) await control(kind, server);
  } finally {
    await server.close();
    await started.stop();
  }
}
await bundle.remove();
process.exitCode = failed ? 1 : 0;

async function hydrant(kind, server) {
  const { replicas, connections, ttlMs } = settings;
  console.log(`\n${kind}, ${values.clients} clients: ${replicas} replicas, ${connections} connections, TTL ${ttlMs} ms`);
  const cluster = new ChaosCluster({ kind, clients: values.clients, server, bundle, ...settings });
  try {
    await cluster.start();
    console.log(`cold start: even after ${(await cluster.balanced()).toFixed(2)} TTL`);
    const perTick = await cluster.queries(() =>
      cluster.balanced().then(
        () =>
          new Promise((resolve) => {
            setTimeout(resolve, 3 * settings.ttlMs);
          }),
      ),
    );
    console.log(`claim queries per replica and tick, at rest: ${perTick.map((count) => count.toFixed(2)).join(' ')}`);
    if (Math.max(...perTick) > 3) miss('more than 3 claim queries per tick');
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const name of chosen) {
        const result = await faults[name](cluster, cluster.live[round % cluster.live.length]);
        console.log(describe(result));
        miss(...missed(result));
        if (cluster.live.length < settings.replicas) await cluster.startReplicas(settings.replicas - cluster.live.length);
        await cluster.balanced();
      }
    }
    await cluster.forget();
    console.log(`stale polls in all: ${cluster.violations.length}`, cluster.violations.slice(0, 5));
    if (cluster.violations.length > 0) miss('stale polls');
  } finally {
    await cluster.stop();
  }
}

function miss(...promises) {
  for (const promise of promises) console.log(`MISSED: ${promise}`);
  failed ||= promises.length > 0;
}

/** The harness must be able to detect overlaps. */
async function control(kind, server) {
  console.log(`\n${kind}: the plain heartbeat loop`);
  await server.prepareNaive(settings.connections);
  const cluster = new ChaosCluster({ kind, server, bundle, script: 'naive.mjs', ...settings });
  try {
    await cluster.start();
    await cluster.balanced({ even: false });
    for (const name of ['pause', 'block', 'unreachable']) {
      const result = await faults[name](
        {
          __proto__: cluster,
          balanced: () => cluster.balanced({ even: false }),
          forget: () => cluster.forget(),
          report: () => cluster.report(),
        },
        cluster.live[0],
      ).catch((error) => ({ error }));
      console.log(result.error === undefined ? describe(result) : `${name}: ${result.error.message}`);
    }
    await cluster.forget();
    console.log(`stale polls in all: ${cluster.violations.length}`);
    if (cluster.violations.length === 0) {
      miss('the control was not caught');
    }
  } finally {
    await cluster.stop();
  }
}
