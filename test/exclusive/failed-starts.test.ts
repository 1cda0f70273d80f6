import { ConnectionError } from 'hydrant';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Cluster, type Replica } from './support/cluster.js';
import { HoldingBench } from './support/holding-bench.js';

const HOUR = 3_600_000;
let seed = 0;
/** Jitter that is the same in every run. */
const random = (): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed / 2_147_483_648;
};

/** Counts attempts and lets them fail while `broken`. */
function failing(replicas: readonly Replica[]) {
  const state = { broken: true, at: [] as number[] };
  for (const replica of replicas) {
    replica.work = async () => {
      state.at.push(replica.clock.monotonic());
      if (state.broken) throw new Error('logged out');
    };
  }
  return state;
}

describe('a connection that cannot start', () => {
  let cluster: Cluster;
  afterEach(() => cluster.close());

  test('is retried ever more slowly: attempts over an hour', async () => {
    seed = 1;
    cluster = new Cluster(1);
    vi.spyOn(Math, 'random').mockImplementation(random);
    const replicas = [0, 1, 2].map(() => cluster.replica({ list: async () => ['c0000'] }));
    const attempts = failing(replicas);
    for (const { runner } of replicas) runner.start();
    await cluster.clock.advance(HOUR);
    const perQuarter = [0, 1, 2, 3].map((quarter) => attempts.at.filter((at) => Math.floor(at / (HOUR / 4)) === quarter).length);
    const calls = replicas.reduce((sum, replica) => sum + replica.calls.length, 0);
    const owners = new Set(replicas.flatMap((replica) => replica.happened('started').map(() => replica.runner.replica)));
    process.stdout.write(
      `attempts in an hour: ${attempts.at.length}, per quarter ${perQuarter.join(', ')}, on ${owners.size} replicas; `
        + `claim queries per replica and tick: ${(calls / 3 / 3_600).toFixed(2)}\n`,
    );
    expect(attempts.at.length).toBeLessThanOrEqual(60);
    expect(attempts.at.length).toBeGreaterThanOrEqual(15);
    expect(Math.max(...perQuarter.slice(1))).toBeLessThanOrEqual(15);
    expect(owners.size, 'others tried as well').toBe(3);
  }, 60_000);

  test('recovers by itself when the cause is gone', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica({ list: async () => ['c0000'] });
    const attempts = failing([replica]);
    replica.runner.start();
    await cluster.clock.advance(HOUR);
    expect(replica.owned).toEqual([]);
    attempts.broken = false;
    await cluster.clock.advance(300_000);
    expect(replica.owned).toEqual(['c0000']);
  });

  test('recovers at once when the record is edited', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica();
    failing([replica]);
    replica.runner.start();
    await cluster.clock.advance(HOUR);
    replica.work = async () => undefined;
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    const nextListingMs = 2_000;
    await cluster.clock.advance(nextListingMs);
    expect(replica.owned).toEqual(['c0000']);
    expect(replica.running.get('c0000')!.record.name).toBe('edited');
  });

  test('keeps its claim, with a back-off that doubles', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica({ startBackoff: { initialMs: 1_000, maxMs: 8_000 } });
    const attempts = failing([replica]);
    replica.runner.start();
    await cluster.clock.advance(60_000);
    const waits = attempts.at.slice(1).map((at, index) => Math.round(at - attempts.at[index]!));
    expect(waits.slice(0, 6)).toEqual([999, 1_998, 3_996, 7_992, 7_992, 7_992]);
    expect(cluster.server.owners().get('c0000')).toEqual({ owner: replica.runner.replica, token: 1n });
    expect(replica.happened('startFailed')[2]).toEqual({
      id: 'c0000', version: '1', error: new Error('logged out'), failures: 3, retryAfterMs: 3_996, handedOver: false,
    });
  });

  test('counts failures per version of the record', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica();
    failing([replica]);
    replica.runner.start();
    await cluster.clock.advance(20_000);
    expect(replica.happened('startFailed').at(-1)!.failures).toBe(5);
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    await cluster.clock.advance(2_000);
    const last = replica.happened('startFailed').at(-1)!;
    expect(last).toMatchObject({ version: '2', failures: 1 });
  });

  test('is handed to another replica after five failures, which continues the back-off', async () => {
    cluster = new Cluster(1);
    const [a, b] = [await cluster.started(), await cluster.started()];
    const [owner, other] = a.owned.length === 1 ? [a, b] : [b, a];
    const attempts = failing([owner]);
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    await cluster.clock.advance(20_000);
    expect(owner.happened('startFailed').map(({ handedOver }) => handedOver)).toEqual([false, false, false, false, true]);
    expect(attempts.at).toHaveLength(5);
    const handedOverAt = attempts.at[4]!;
    await cluster.clock.advance(handedOverAt + 15_000 - cluster.clock.monotonic());
    expect(other.owned, 'the fifth delay of 16 s applies there too').toEqual([]);
    await cluster.clock.advance(10_000);
    expect(other.owned).toEqual(['c0000']);
    expect(attempts.at, 'the replica that failed did not take it back').toHaveLength(5);
  });

  test('is not handed over when no other replica lives', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica({ startBackoff: { initialMs: 10, maxMs: 100 } });
    failing([replica]);
    replica.runner.start();
    await cluster.clock.advance(10_000);
    expect(replica.happened('startFailed').length).toBeGreaterThan(20);
    expect(replica.happened('startFailed').every(({ handedOver }) => !handedOver)).toBe(true);
    expect(replica.calls).not.toContain('release');
  });

  test('is forgiven for its failures once the next owner has served it well', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica();
    const attempts = failing([replica]);
    replica.runner.start();
    await cluster.clock.advance(20_000);
    attempts.broken = false;
    const oneFailureIsForgivenInMs = 120_000;
    await cluster.clock.advance(6.25 * oneFailureIsForgivenInMs);
    expect(replica.owned).toEqual(['c0000']);
    replica.fault = () => { throw new Error('gone'); };
    const next = cluster.replica();
    next.runner.start();
    await cluster.clock.advance(12_000);
    expect(next.owned).toEqual(['c0000']);
    replica.fault = undefined;
  });

  test('counts a run that returns before its signal aborts as a failure', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica({ run: async () => undefined });
    replica.runner.start();
    await cluster.clock.advance(20_000);
    expect(replica.happened('startFailed')).toHaveLength(5);
    expect(replica.happened('startFailed')[0]!.error).toEqual(new Error('run has ended before its signal aborted'));
  });

  test('counts a hydrate that fails, but not a refusal before an attempt', async () => {
    cluster = new Cluster(1);
    cluster.create = () => { throw new Error('no such host'); };
    const replica = cluster.replica();
    replica.runner.start();
    await cluster.clock.advance(60_000);
    const failures = replica.happened('startFailed');
    expect(failures.length).toBe(replica.hydrationFailures.length);
    expect(failures.map(({ error }) => (error as ConnectionError).code)).not.toContain('BACKING_OFF');
    cluster.create = (row) => ({ id: row.id, name: row.name, sent: [] });
    await cluster.clock.advance(64_000);
    expect(replica.owned).toEqual(['c0000']);
  });

  test('waits without failures while its record is stopped or deleted but still listed', async () => {
    cluster = new Cluster(2);
    await cluster.store.put({ id: 'c0000', name: 'x', status: 'stopped' });
    const replica = cluster.replica({ list: async () => ['c0000', 'c0001', 'unknown'] });
    replica.runner.start();
    await cluster.clock.advance(30_000);
    expect(replica.owned).toEqual(['c0001']);
    expect(replica.happened('startFailed')).toEqual([]);
    await cluster.store.put({ id: 'c0000', name: 'x', status: 'active' });
    await cluster.clock.advance(60_000);
    expect(replica.owned).toEqual(['c0000', 'c0001']);
  });

  test('does not count as failed when it is stopped during its start', async () => {
    cluster = new Cluster(1);
    cluster.create = () => new Promise(() => undefined);
    const replica = cluster.replica();
    replica.runner.start();
    await cluster.clock.advance(3_000);
    expect(replica.runner.snapshot().connections[0]!.state).toBe('working');
    const stopped = replica.runner.stop();
    await cluster.clock.advance(1_000);
    await stopped;
    expect(replica.happened('startFailed')).toEqual([]);
    expect(cluster.server.owners().size).toBe(0);
  });
});

describe('a slow crash loop', () => {
  const DAY = 24 * HOUR;

  /** Serves for `lifeMs` each time, for a day, and returns how often it logged in. */
  async function logInsADay(
    lifeMs: number,
    startBackoff?: { initialMs: number; maxMs: number },
  ): Promise<{ logIns: number; servedMs: number }> {
    seed = lifeMs;
    const bench = new HoldingBench();
    vi.spyOn(Math, 'random').mockImplementation(random);
    let logIns = 0;
    bench.others = false;
    bench.run = async () => {
      logIns += 1;
      await new Promise<void>((resolve) => {
        bench.clock.setTimeout(resolve, lifeMs, { ref: true });
      });
      throw new Error('closed by the server');
    };
    bench.holding(startBackoff === undefined ? { startBackoff: { initialMs: 1_000, maxMs: 300_000 } } : { startBackoff });
    await bench.clock.advance(DAY);
    return { logIns, servedMs: logIns * lifeMs };
  }

  test.each([1_000, 3_000, 6_000, 20_000, 60_000])(
    'of %i ms logs in at most 2 900 times a day, and 250 times with maxMs 900 000',
    async (lifeMs) => {
      const usual = await logInsADay(lifeMs);
      const slow = await logInsADay(lifeMs, { initialMs: 1_000, maxMs: 900_000 });
      process.stdout.write(`log-ins a day with lives of ${lifeMs} ms: ${usual.logIns}, and ${slow.logIns} with maxMs 900 000\n`);
      expect(usual.logIns).toBeLessThanOrEqual(2_900);
      expect(slow.logIns).toBeLessThanOrEqual(250);
    },
    60_000,
  );

  test('of five minutes loses less than 2 % of its time', async () => {
    const { servedMs } = await logInsADay(300_000);
    expect(servedMs).toBeGreaterThan(0.98 * DAY);
  });
});
