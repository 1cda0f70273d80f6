// The faults, one after the other or several at a time on different replicas. Each ends with everything owned again.
import { setTimeout as sleep } from 'node:timers/promises';
import { now, quantile, schedulingLag } from './harness.mjs';

const PAUSE_TTL = 2.5;

/** The steps of every fault: start a record, cause the fault, wait until all is owned and even, return figures. */
async function fault(cluster, name, act) {
  await cluster.forget();
  const figures = await act();
  const settled = await cluster.balanced();
  const { polls, stale } = await cluster.report();
  return { fault: name, polls, stale: stale.length, settledTtl: settled, ...figures };
}

const inTtl = ({ ttlMs }, values) => (values.length === 0
  ? { takeovers: 0 }
  : { takeovers: values.length, p50: quantile(values, 0.5) / ttlMs, max: values.at(-1) / ttlMs });

/** Something happens to one replica for a while, and to nothing else. */
const during = (name, begin, end) => (cluster, replica) => fault(cluster, name, async () => {
  const owned = await cluster.ownedBy(replica);
  const since = now();
  await begin(replica, cluster);
  await sleep(PAUSE_TTL * cluster.ttlMs);
  await end(replica, cluster);
  return inTtl(cluster, await cluster.takeovers(owned, since));
});

/** Stops a replica and starts another one. Resolves to the times of the takeovers. */
async function restarted(cluster, replica) {
  const owned = await cluster.ownedBy(replica);
  const since = now();
  replica.process.kill('SIGTERM');
  await replica.ended;
  await cluster.balanced({ even: false });
  const took = await cluster.takeovers(owned, since);
  await cluster.startReplica();
  await cluster.balanced();
  return took;
}

export const faults = {
  kill: (cluster, replica) =>
    fault(cluster, 'kill -9', async () => {
      const owned = await cluster.ownedBy(replica);
      const since = now();
      replica.process.kill('SIGKILL');
      await replica.ended;
      await cluster.balanced({ even: false });
      return inTtl(cluster, await cluster.takeovers(owned, since));
    }),
  pause: during(
    'SIGSTOP 2.5 TTL',
    (replica) => replica.process.kill('SIGSTOP'),
    (replica) => replica.process.kill('SIGCONT'),
  ),
  block: during(
    'event loop blocked 2.5 TTL',
    (replica, { ttlMs }) => replica.process.send({ command: 'block', ms: PAUSE_TTL * ttlMs }),
    () => undefined,
  ),
  unreachable: during(
    'server unreachable 2.5 TTL',
    (replica) => replica.proxy.cut('drop'),
    (replica) => replica.proxy.heal(),
  ),
  answersLost: during(
    'answers lost after commit 2.5 TTL',
    (replica) => replica.proxy.cut('swallow'),
    (replica) => replica.proxy.heal(),
  ),
  jumpAhead: during(
    'wall clock + 1 h',
    (replica) => replica.process.send({ command: 'jump', ms: 3_600_000 }),
    () => undefined,
  ),
  jumpBack: during(
    'wall clock - 1 h',
    (replica) => replica.process.send({ command: 'jump', ms: -3_600_000 }),
    () => undefined,
  ),
  /** Every connection of every replica goes silent at once, without a reset. */
  silence: (cluster) =>
    fault(cluster, 'all connections go silent', async () => {
      const before = (await cluster.report()).owners.map(({ id }) => id);
      const since = now();
      const silenced = cluster.live.reduce((sum, { proxy }) => sum + proxy.silence(), 0);
      const calls = async () => (await cluster.stats()).map((replica) => replica.answered);
      const answeredBefore = await calls();
      await sleep(3 * cluster.ttlMs);
      // Polls go on for a while without the server. Only an answer proves that a replica has got over the silence.
      const answering = (await calls()).filter((count, index) => count > answeredBefore[index]).length;
      const polling = await cluster.polling(cluster.ttlMs / 2);
      return {
        silenced,
        answering,
        polling,
        replicas: cluster.live.length,
        ...inTtl(cluster, await cluster.takeovers(before, since)),
      };
    }),
  /** Three times in a row every connection to the server is ended by the server. */
  terminate: (cluster) =>
    fault(cluster, 'connections terminated 3 ×', async () => {
      const owned = (await cluster.report()).owners.map(({ id }) => id);
      const since = now();
      for (let round = 0; round < 3; round += 1) {
        await cluster.options.server.terminateConnections();
        await sleep(cluster.ttlMs / 2);
      }
      return { ...inTtl(cluster, await cluster.takeovers(owned, since)) };
    }),
  /** One after the other is told to stop and followed by a new one. */
  rolling: (cluster) =>
    fault(cluster, 'rolling restart, SIGTERM', async () => {
      await cluster.hearing();
      const took = [];
      const lags = await schedulingLag(async () => {
        for (const replica of cluster.live) took.push(...(await restarted(cluster, replica)));
      });
      took.sort((a, b) => a - b);
      return {
        takeovers: took.length,
        p50Ms: quantile(took, 0.5),
        p99Ms: quantile(took, 0.99),
        maxMs: took.at(-1),
        lagMs: quantile(lags, 0.99),
      };
    }),
  coldBoot: (cluster) =>
    fault(cluster, 'cold boot of all', async () => {
      const count = cluster.live.length;
      await Promise.all(cluster.live.map((replica) => replica.end()));
      await cluster.forget();
      const since = now();
      await cluster.startReplicas(count);
      await cluster.balanced({ even: false });
      return { ownedAfterTtl: (now() - since) / cluster.ttlMs, ...(await cluster.mostMoves()) };
    }),
  join: (cluster) =>
    fault(cluster, 'a replica joins', async () => {
      await cluster.startReplica();
      const took = await cluster.balanced();
      return { balancedTtl: took, ...(await cluster.mostMoves()) };
    }),
  leave: (cluster, replica) =>
    fault(cluster, 'a replica leaves', async () => {
      replica.process.kill('SIGTERM');
      await replica.ended;
      const took = await cluster.balanced();
      return { balancedTtl: took, ...(await cluster.mostMoves()) };
    }),
};

/**
 * A message passes so many processes, each of which may wait for its turn: the one that stops, the server, the heir,
 * the server, the provider.
 */
export const HOPS = 5;

/** The broken promises of a fault, in words. */
export function missed({ fault: name, stale, max, p99Ms, lagMs, balancedTtl, most, answering, polling, replicas }) {
  return [
    stale > 0 && `${stale} stale polls`,
    name === 'kill -9' && max > 1.25 && `takeover after ${max.toFixed(2)} TTL instead of at most 1.25`,
    p99Ms - HOPS * lagMs > 250 && `takeover after SIGTERM at p99 in ${p99Ms.toFixed(0)} ms instead of at most 250`,
    balancedTtl > 5 && `even after ${balancedTtl.toFixed(2)} TTL instead of at most 5`,
    answering < replicas && `only ${answering} of ${replicas} replicas were answered within 3 TTL after the silence`,
    polling < replicas && `only ${polling} of ${replicas} replicas poll 3 TTL after the silence`,
    most > 1 && `a connection was moved ${most} times instead of once`,
  ].filter(Boolean);
}

/** One line per fault, for people. */
export function describe({ fault: name, polls, stale, settledTtl, ...figures }) {
  const shown = Object.entries(figures).map(
    ([key, value]) => `${key} ${typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : value}`,
  );
  return `${name.padEnd(36)} polls ${String(polls).padStart(6)}  stale ${String(stale).padStart(5)}  even after `
    + `${settledTtl.toFixed(2)} TTL  ${shown.join('  ')}`;
}
