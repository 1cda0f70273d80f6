import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Report, Use, Write } from './history.js';

/** The store as the writer sees it. */
export interface Written {
  put(draft: { id: string; status: 'active' | 'stopped'; n: number }): Promise<{ readonly version: string }>;
  delete(id: string): Promise<void>;
}

/** One run of the check. */
export interface Scenario {
  readonly bundle: string;
  readonly kind: 'postgres' | 'ioredis' | 'node-redis';
  readonly url: string;
  readonly prefix?: string;
  /** The replicas use the table `bots`, which is not hydrant's, with these versions. */
  readonly versions?: 'table' | 'hash';
  readonly store: Written;
  readonly seed: number;
  readonly durationMs: number;
  readonly hints: 'on' | 'off' | 'dropped';
  readonly replicas?: number;
  /** Says the replicas are strict and lets them be as stale as this. */
  readonly pretendStrictMs?: number;
  /** Holds back the store's answers on their way to the registry. */
  readonly answerDelayMs?: number;
  /** Events during the run: each once, at even intervals. */
  readonly faults?: readonly ((replicas: readonly ChildProcess[]) => unknown)[];
}

const IDS = Array.from({ length: 10 }, (_, n) => `c${n}`);
const MAX_STALE_MS = 200;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });

/** mulberry32: the same seed makes the same choices. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Lets replicas use connections while a writer changes them, and gives back everything that was done and seen. */
export async function run(scenario: Scenario): Promise<{ writes: Write[]; reports: Report[] }> {
  const { store, seed, durationMs, faults = [], replicas: count = 4 } = scenario;
  const replicas = Array.from({ length: count }, (_, replica) => startReplica(scenario, replica));
  try {
    await Promise.all(replicas.map((replica) => once(replica, 'message')));
    const end = performance.now() + durationMs;
    const writes: Write[] = [];
    const random = seeded(seed);
    const writers = IDS.map((id) => writeUntil(end, id, store, random, writes));
    for (const fault of faults) {
      await sleep(durationMs / (faults.length + 1));
      await fault(replicas);
    }
    await Promise.all(writers);
    // A last look, after the last change.
    await sleep(100);
    const reports = await Promise.all(replicas.map((replica) => reportOf(replica)));
    return { writes, reports };
  } finally {
    for (const replica of replicas) if (replica.exitCode === null) replica.kill('SIGKILL');
  }
}

function startReplica(
  { bundle, kind, url, prefix, seed, hints, pretendStrictMs = 0, answerDelayMs = 0, versions }: Scenario,
  replica: number,
): ChildProcess {
  const options = {
    bundle,
    kind,
    url,
    prefix,
    ids: IDS,
    seed: seed * 31 + replica,
    replica,
    hints,
    maxStaleMs: MAX_STALE_MS,
    pretendStrictMs,
    answerDelayMs,
    versions,
  };
  return fork(fileURLToPath(new URL('replica.mjs', import.meta.url)), [JSON.stringify(options)], { execArgv: [] });
}

async function writeUntil(end: number, id: string, store: Written, random: () => number, writes: Write[]): Promise<void> {
  for (let n = 0; performance.now() < end; n += 1) {
    const choice = random();
    const status = choice < 0.7 ? 'active' : choice < 0.85 ? 'stopped' : 'deleted';
    const begun = process.hrtime.bigint();
    const version = await repeated(async () =>
      status === 'deleted' ? (await store.delete(id), undefined) : (await store.put({ id, status, n })).version,
    );
    writes.push({ id, begun, committed: process.hrtime.bigint(), version, status });
    await sleep(10 + 90 * random());
  }
}

/** An administrator who drops tables may end up in a deadlock with a writer. PostgreSQL refuses one of them, who repeats. */
export async function repeated<T>(write: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if ((error as { code?: string }).code !== '40P01') throw error;
    }
  }
}

async function reportOf(replica: ChildProcess): Promise<Report> {
  replica.send('finish');
  const [report] = (await once(replica, 'message')) as [
    Report & { uses: readonly (Omit<Use, 'begun' | 'ended'> & { begun: string; ended: string })[] },
  ];
  await once(replica, 'exit');
  return {
    ...report,
    uses: report.uses.map((use) => Object.assign(use, { begun: BigInt(use.begun), ended: BigInt(use.ended) })),
  };
}
