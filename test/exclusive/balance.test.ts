import { afterEach, describe, expect, test } from 'vitest';
import { Cluster, slowToStop, type Replica, type Row } from './support/cluster.js';

let cluster: Cluster;
afterEach(() => cluster.close());

const TTL = 9_000;
const loads = (replicas: readonly Replica[]): number[] => replicas.map((replica) => replica.owned.length);
const spread = (replicas: readonly Replica[]): number => Math.max(...loads(replicas)) - Math.min(...loads(replicas));

const held = (replica: Replica): string[] => replica.runner.snapshot().connections.map(({ id }) => id);

/** How often each connection changed hands. */
function starts(replicas: readonly Replica[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { id } of replicas.flatMap((replica) => replica.happened('started'))) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

function forget(replicas: readonly Replica[]): void {
  for (const replica of replicas) {
    replica.events.length = 0;
    replica.calls.length = 0;
  }
}

async function converged(replicas: readonly Replica[], total: number): Promise<number> {
  const since = cluster.clock.monotonic();
  while (loads(replicas).reduce((sum, load) => sum + load, 0) < total || spread(replicas) > 1) {
    await cluster.clock.advance(100);
    if (cluster.clock.monotonic() - since > 20 * TTL) throw new Error(`no balance: ${loads(replicas).join(', ')}`);
  }
  return cluster.clock.monotonic() - since;
}

/** Each replica starts in another phase of its tick. */
async function join(count: number): Promise<Replica[]> {
  const replicas: Replica[] = [];
  for (let n = 0; n < count; n += 1) {
    const replica = cluster.replica();
    replica.runner.start();
    replicas.push(replica);
    await cluster.clock.advance(137);
  }
  return replicas;
}

describe('balance', () => {
  test('replicas that start together want different connections, in whatever order they start', async () => {
    cluster = new Cluster(10);
    const [z, a] = [cluster.replica({ name: 'z' }), cluster.replica({ name: 'a' })];
    for (const { runner } of [z, a]) runner.start();
    await cluster.clock.advance(2_000);
    expect(a.owned).toEqual(['c0000', 'c0001', 'c0002', 'c0003', 'c0004']);
    expect(z.owned).toEqual(['c0005', 'c0006', 'c0007', 'c0008', 'c0009']);
  });

  test('loads differ by at most one after a cold boot of all replicas, and nothing is taken twice', async () => {
    cluster = new Cluster(103);
    const replicas = await join(5);
    await converged(replicas, 103);
    expect(loads(replicas).toSorted()).toEqual([20, 20, 21, 21, 21]);
    expect([...starts(replicas).values()].every((count) => count === 1)).toBe(true);
  });

  test.each([
    { before: 5, joining: 1 },
    { before: 5, joining: 3 },
    { before: 2, joining: 6 },
  ])(
    'loads are even within 5 TTL after $before replicas get $joining more, and no connection moves twice',
    async ({ before, joining }) => {
      cluster = new Cluster(200);
      const old = await join(before);
      await converged(old, 200);
      await cluster.clock.advance(3 * TTL);
      forget(old);
      const all = [...old, ...(await join(joining))];
      const took = await converged(all, 200);
      await cluster.clock.advance(10 * TTL);
      process.stdout.write(`join ${before}+${joining}: ${(took / TTL).toFixed(2)} TTL, loads ${loads(all).join(' ')}\n`);
      expect(took).toBeLessThanOrEqual(5 * TTL);
      expect(spread(all)).toBeLessThanOrEqual(1);
      const moves = starts(all);
      expect(Math.max(...moves.values())).toBe(1);
      const least = all.slice(before).reduce((sum, replica) => sum + replica.owned.length, 0);
      expect(moves.size, 'nothing is moved that need not be').toBe(least);
    },
  );

  test.each(['stops', 'dies'])('loads are even within 5 TTL after one of five %s, and no other connection moves', async (how) => {
    cluster = new Cluster(100);
    const all = await join(5);
    await converged(all, 100);
    await cluster.clock.advance(3 * TTL);
    forget(all);
    const [leaver, ...rest] = all;
    if (how === 'stops') void leaver!.runner.stop();
    else leaver!.fault = () => new Promise(() => undefined);
    const took = await converged(rest, 100);
    await cluster.clock.advance(10 * TTL);
    process.stdout.write(`one ${how}: ${(took / TTL).toFixed(2)} TTL\n`);
    expect(took).toBeLessThanOrEqual(5 * TTL);
    expect(loads(rest)).toEqual([25, 25, 25, 25]);
    const moves = starts(rest);
    expect(moves.size).toBe(20);
    expect(Math.max(...moves.values())).toBe(1);
    leaver!.fault = undefined;
  });

  test('balance is restored with at most 3 queries per replica and tick', async () => {
    cluster = new Cluster(300);
    const old = await join(3);
    await converged(old, 300);
    await cluster.clock.advance(3 * TTL);
    forget(old);
    const all = [...old, ...await join(1)];
    await cluster.clock.advance(3 * TTL);
    expect(spread(all)).toBeLessThanOrEqual(1);
    for (const replica of all) expect(replica.calls.length / 27).toBeLessThanOrEqual(3);
  });

  test('connections that have not started move first, and freshly claimed ones only after the cool-down', async () => {
    cluster = new Cluster(4);
    cluster.create = (row) => (row.id < 'c0002' ? { id: row.id, name: row.name, sent: [] } : new Promise(() => undefined));
    const a = await cluster.started({ maxConcurrentStarts: 1 });
    expect(a.owned).toEqual(['c0000', 'c0001']);
    const b = await cluster.started({ maxConcurrentStarts: 1 });
    await cluster.clock.advance(4_000);
    expect(held(b), 'only what was queued moves').toEqual(['c0003']);
    await cluster.clock.advance(60_000);
    expect(held(a)).toHaveLength(2);
    expect(held(b)).toHaveLength(2);
  });

  test('a connection that is backing off moves before one that is served', async () => {
    cluster = new Cluster(4);
    const a = cluster.replica();
    a.work = async ({ id }) => { if (id === 'c0003') throw new Error('logged out'); };
    a.runner.start();
    await cluster.clock.advance(20_000);
    expect(a.owned).toEqual(['c0000', 'c0001', 'c0002']);
    const b = cluster.replica();
    b.runner.start();
    await cluster.clock.advance(5_000);
    expect(held(b).toSorted(), 'and then what has been here for longest').toEqual(['c0000', 'c0003']);
  });

  test('an offer is kept for the replica with too few connections for three ticks', async () => {
    cluster = new Cluster(4);
    const a = await cluster.started();
    await cluster.clock.advance(20_000);
    const b = cluster.replica();
    b.fault = (call, carryOut) => (call === 'claim' ? new Promise(() => undefined) : carryOut());
    b.runner.start();
    while (!a.calls.includes('release')) await cluster.clock.advance(5);
    await cluster.clock.advance(2_900);
    expect(
      cluster.server.claim({
        replica: 'outsider',
        ttlMs: 60_000,
        ids: ['c0000', 'c0001', 'c0002', 'c0003'],
        limit: 4,
        freeForMs: 0,
      }),
    ).toEqual([]);
    b.fault = undefined;
  });

  test('nothing stays without an owner that was offered to a replica which has filled its share since', async () => {
    cluster = new Cluster(12);
    const [a, b, c] = [cluster.replica(), cluster.replica(), cluster.replica()];
    slowToStop(a, 300);
    for (const { runner } of [a, c]) runner.start();
    await cluster.clock.advance(20_000);
    b.runner.start();
    while (![...a.running.values()].some(({ signal }) => signal.aborted)) await cluster.clock.advance(5);
    const letGo = a.holdFirst('claim');
    void c.runner.stop();
    await cluster.clock.advance(200);
    letGo();
    expect(held(b), 'its share of what the stopping replica had').toHaveLength(6);
    await cluster.clock.advance(300);
    expect(a.owned.length + b.owned.length).toBe(12);
    expect(await converged([a, b], 12)).toBeLessThanOrEqual(5 * TTL);
  });

  test('nothing waits for a replica that left, or filled its share, while a loop took long to stop', async () => {
    for (const ending of ['left', 'filled']) {
      cluster = new Cluster(12);
      const [a, b, c] = [cluster.replica(), cluster.replica(), cluster.replica()];
      slowToStop(a, 5_000);
      for (const { runner } of [a, c]) runner.start();
      await cluster.clock.advance(20_000);
      b.runner.start();
      while (![...a.running.values()].some(({ signal }) => signal.aborted)) await cluster.clock.advance(5);
      const letGo = a.holdFirst('claim');
      void (ending === 'left' ? b : c).runner.stop();
      await cluster.clock.advance(200);
      letGo();
      if (ending === 'filled') expect(held(b)).toHaveLength(6);
      await cluster.clock.advance(4_500);
      expect(cluster.server.owners().size, 'the loops still stop').toBe(12);
      await cluster.clock.advance(1_500);
      expect(cluster.server.owners().size, 'a tick after they have').toBe(12);
      await cluster.close();
    }
  });

  test('nothing is handed to a replica that has not listed the connections, and replicas that start together share', async () => {
    cluster = new Cluster(12);
    const a = await cluster.started();
    await cluster.clock.advance(20_000);
    let down = true;
    const list = async (): Promise<readonly Row[]> => {
      if (down) throw new Error('the database is down');
      return cluster.store.list();
    };
    const [b, c] = [cluster.replica({ list }), cluster.replica({ list })];
    for (const { runner } of [b, c]) runner.start();
    for (let tick = 0; tick < 20; tick += 1) {
      await cluster.clock.advance(1_000);
      expect(a.owned).toHaveLength(12);
    }
    void a.runner.stop();
    await cluster.clock.advance(1_000);
    down = false;
    await cluster.clock.advance(2_000);
    expect(loads([b, c])).toEqual([6, 6]);
  });

  test('nothing is left for a replica whose loops take long to stop', async () => {
    cluster = new Cluster(12);
    const [a, b, c] = [cluster.replica(), cluster.replica(), cluster.replica()];
    slowToStop(b, 8_000);
    for (const { runner } of [a, b, c]) runner.start();
    await cluster.clock.advance(20_000);
    void b.runner.stop();
    await cluster.clock.advance(500);
    void c.runner.stop();
    await cluster.clock.advance(100);
    expect(held(a), 'all that the other had').toHaveLength(8);
  });

  test('nothing is left for such a replica either when a renewal under way counted it in again', async () => {
    cluster = new Cluster(12);
    const [a, b] = [cluster.replica(), cluster.replica()];
    slowToStop(b, 8_000);
    for (const { runner } of [a, b]) runner.start();
    await cluster.clock.advance(20_000);
    const answer = b.holdFirst('renew');
    await cluster.clock.advance(1_000);
    void b.runner.stop();
    await cluster.clock.advance(100);
    answer();
    await cluster.clock.advance(1_100);
    expect(a.runner.snapshot().members).toEqual([a.runner.replica]);
  });

  test('a connection that has just become free is left to the replica whose share it is', async () => {
    for (const phaseMs of [0, 500, 1_000, 1_500, 2_000, 2_500]) {
      cluster = new Cluster(4);
      const [a, b] = [await cluster.started(), await cluster.started()];
      await cluster.clock.advance(30_000 + phaseMs);
      b.fault = (call, carryOut) => (call === 'claim' ? new Promise(() => undefined) : carryOut());
      const [tenure] = b.running.values();
      cluster.server.release({ replica: b.runner.replica, claims: [tenure!], leave: false });
      await cluster.clock.advance(2_900);
      expect(a.owned).toHaveLength(2);
      a.events.length = 0;
      await cluster.clock.advance(6_000);
      expect(a.happened('started').map(({ id }) => id), 'but not for ever').toContain(tenure!.id);
      b.fault = undefined;
      await cluster.close();
    }
  });

  test('a connection that was never claimed is left to the replica whose share it is', async () => {
    cluster = new Cluster(10);
    const [a, b] = [cluster.replica(), cluster.replica()];
    b.fault = (call, carryOut) => (call === 'claim' ? new Promise(() => undefined) : carryOut());
    for (const { runner } of [a, b]) runner.start();
    while (a.owned.length === 0) await cluster.clock.advance(100);
    await cluster.clock.advance(1_900);
    expect(a.owned).toHaveLength(5);
    await cluster.clock.advance(6_000);
    expect(a.owned, 'but not for ever').toHaveLength(10);
    b.fault = undefined;
  });

  test('no connection moves to a replica that comes and goes', async () => {
    cluster = new Cluster(10);
    const replica = await cluster.started();
    await cluster.clock.advance(20_000);
    const seenByOneTickMs = 1_500;
    cluster.server.renew({ replica: 'flapping', ttlMs: seenByOneTickMs, member: true, load: 0, held: [] });
    await cluster.clock.advance(1_000);
    expect(replica.runner.snapshot().members).toHaveLength(2);
    await cluster.clock.advance(20_000);
    expect(replica.owned).toHaveLength(10);
    expect(replica.happened('ended')).toEqual([]);
  });

  test('no connection stays unowned although a living replica does not take its share', async () => {
    cluster = new Cluster(10);
    const [a, b] = await join(2);
    b!.fault = (call, carryOut) => (call === 'claim' ? new Promise(() => undefined) : carryOut());
    await cluster.clock.advance(3 * TTL);
    expect(a!.owned).toHaveLength(10);
    b!.fault = undefined;
  });

  test('a replica takes its offers before they lapse, and the others get the ones it does not take', async () => {
    cluster = new Cluster(10);
    const a = await cluster.started();
    await cluster.clock.advance(TTL);
    const b = cluster.replica();
    b.fault = (call, carryOut) => (call === 'claim' ? new Promise(() => undefined) : carryOut());
    b.runner.start();
    await cluster.clock.advance(4 * TTL);
    expect(a.owned.length + b.owned.length).toBeGreaterThanOrEqual(5);
    b.fault = undefined;
    await cluster.clock.advance(3 * TTL);
    expect(loads([a, b])).toEqual([5, 5]);
  });
});
