// The chaos run that is part of every test run: several faults at a time, each on a replica of its own.
import { setTimeout as sleep } from 'node:timers/promises';
import { ChaosCluster, bundlePackage, now, quantile, schedulingLag } from './harness.mjs';
import { describe, faults } from './scenarios.mjs';
import { administer } from './servers.mjs';

const TTL_MS = 3_000;
const REPLICAS = 5;

async function withCluster(
  { kind, clients = 'documented', url, ttlMs = TTL_MS, replicas = REPLICAS, connections = 200, script },
  work,
) {
  const bundle = await bundlePackage();
  const server = await administer(kind, url, bundle);
  if (script !== undefined) await server.prepareNaive(connections);
  const cluster = new ChaosCluster({ kind, clients, server, bundle, ttlMs, replicas, connections, script });
  try {
    await cluster.start();
    return await work(cluster);
  } finally {
    await cluster.stop();
    await server.close();
    await bundle.remove();
  }
}

export function shortChaos(options) {
  return withCluster(options, async (cluster) => {
    const reports = [];
    const note = (report) => {
      reports.push(report);
      process.stdout.write(`${options.kind.padEnd(10)} ${describe(report)}\n`);
    };
    await cluster.balanced();
    const queriesPerTick = await cluster.queries(() => sleep(TTL_MS));
    const killTakeoversTtl = await stoppedInTheirTracks(cluster, note);
    await cutOff(cluster, note);
    const { takeovers: stopTakeoversMs, lags } = await rollingRestart(cluster, note);
    note(await faults.coldBoot(cluster));
    await cluster.forget();
    return {
      faults: reports,
      stale: cluster.violations,
      queriesPerTick,
      killTakeoversTtl,
      stopTakeoversMs,
      lagMs: quantile(lags, 0.99),
    };
  });
}

/** kill -9, SIGSTOP and a blocked event loop, at the same time; two replicas stay well, and one joins afterwards. */
async function stoppedInTheirTracks(cluster, note) {
  const [killed, paused, blocked] = cluster.live;
  await cluster.forget();
  const owned = await cluster.ownedBy(killed);
  const since = now();
  killed.process.kill('SIGKILL');
  paused.process.kill('SIGSTOP');
  blocked.process.send({ command: 'block', ms: 2.5 * TTL_MS });
  await sleep(2.5 * TTL_MS);
  paused.process.kill('SIGCONT');
  const takeovers = (await cluster.takeovers(owned, since)).map((ms) => ms / TTL_MS);
  await cluster.startReplica();
  const settledTtl = await cluster.balanced();
  const { polls, stale } = await cluster.report();
  note({
    fault: 'kill -9, SIGSTOP, blocked',
    polls,
    stale: stale.length,
    settledTtl,
    takeovers: takeovers.length,
    max: takeovers.at(-1),
  });
  return takeovers;
}

/** One cannot reach the server, one gets no answers, two have their clocks set; then every connection is terminated. */
async function cutOff(cluster, note) {
  const [unreachable, unanswered, ahead, behind] = cluster.live;
  await cluster.forget();
  unreachable.proxy.cut('drop');
  unanswered.proxy.cut('swallow');
  ahead.process.send({ command: 'jump', ms: 3_600_000 });
  behind.process.send({ command: 'jump', ms: -3_600_000 });
  await sleep(1.25 * TTL_MS);
  await cluster.options.server.terminateConnections();
  await sleep(1.25 * TTL_MS);
  unreachable.proxy.heal();
  unanswered.proxy.heal();
  const settledTtl = await cluster.balanced();
  const { polls, stale } = await cluster.report();
  note({ fault: 'cut off, clocks set, terminated', polls, stale: stale.length, settledTtl });
}

/** Each is told to stop and followed by a new one, which is not waited for. */
async function rollingRestart(cluster, note) {
  await cluster.hearing();
  await cluster.forget();
  const takeovers = [];
  // Only while one stops: a quiet moment between two restarts says nothing about them.
  const lags = [];
  for (const replica of cluster.live) {
    const owned = await cluster.ownedBy(replica);
    const since = now();
    lags.push(...await schedulingLag(async () => {
      replica.process.kill('SIGTERM');
      await replica.ended;
      await cluster.balanced({ even: false });
    }));
    takeovers.push(...await cluster.takeovers(owned, since));
    await cluster.startReplica();
  }
  const settledTtl = await cluster.balanced();
  const { polls, stale } = await cluster.report();
  takeovers.sort((a, b) => a - b);
  lags.sort((a, b) => a - b);
  const p99Ms = takeovers[Math.floor(takeovers.length * 0.99)];
  note({
    fault: 'rolling restart, SIGTERM',
    polls,
    stale: stale.length,
    settledTtl,
    takeovers: takeovers.length,
    p50Ms: takeovers[takeovers.length >> 1],
    p99Ms,
  });
  return { takeovers, lags };
}

/** Every connection goes silent, twice: the clients that replaced the first ones must be replaced in their turn. */
export function silence(options) {
  return withCluster({ ttlMs: 1_500, replicas: 4, connections: 40, ...options }, async (cluster) => {
    await cluster.balanced();
    const reports = [];
    for (let round = 0; round < 2; round += 1) {
      const report = await faults.silence(cluster);
      process.stdout.write(`${options.kind.padEnd(10)} ${describe(report)}\n`);
      reports.push(report);
    }
    await cluster.forget();
    return { faults: reports, stale: cluster.violations };
  });
}

export function control(options) {
  return withCluster({ ...options, script: 'naive.mjs' }, async (cluster) => {
    await cluster.balanced({ even: false });
    await cluster.forget();
    // The first replicas took twice their share, so the last two may own nothing and cannot go wrong.
    const { owners } = await cluster.report();
    const owned = ({ name }) => owners.filter((owner) => owner.replica === name).length;
    const [paused, blocked, unreachable] = cluster.live.toSorted((a, b) => owned(b) - owned(a));
    paused.process.kill('SIGSTOP');
    blocked.process.send({ command: 'block', ms: 2.5 * TTL_MS });
    unreachable.proxy.cut('drop');
    await sleep(2.5 * TTL_MS);
    paused.process.kill('SIGCONT');
    await sleep(TTL_MS / 3);
    const { stale } = await cluster.report();
    const of = ({ name }) => stale.filter(({ replica }) => replica === name).length;
    return { paused: of(paused), blocked: of(blocked), unreachable: of(unreachable) };
  });
}
