import { afterEach, describe, expect, test } from 'vitest';
import { aborted, Cluster, slowToStop } from './support/cluster.js';

let cluster: Cluster;
afterEach(() => cluster.close());

describe('stop()', () => {
  test('releases each claim as soon as its loop has stopped, and others take over at once', async () => {
    cluster = new Cluster(6);
    const leaver = await cluster.started();
    const heir = cluster.replica();
    heir.runner.start();
    await cluster.clock.advance(20_000);
    expect(heir.owned).toHaveLength(3);
    const before = cluster.clock.monotonic();
    void leaver.runner.stop();
    while (heir.owned.length < 6) await cluster.clock.advance(5);
    expect(cluster.clock.monotonic() - before).toBeLessThanOrEqual(250);
  });

  test('releases loops that stop together in one query', async () => {
    cluster = new Cluster(20);
    const replica = await cluster.started();
    const stopped = replica.runner.stop();
    await cluster.clock.advance(1_000);
    await stopped;
    expect(replica.calls.filter((call) => call === 'release')).toHaveLength(1);
  });

  test('does not wait for a replica that is just joining', async () => {
    cluster = new Cluster(12);
    const leaver = await cluster.started();
    const heir = await cluster.started();
    await cluster.clock.advance(20_000);
    const joining = cluster.replica();
    const onlyTheFirstHeartbeatArrives: typeof joining.fault = (_call, carryOut) =>
      joining.calls.length === 1 ? carryOut() : new Promise(() => undefined);
    joining.fault = onlyTheFirstHeartbeatArrives;
    joining.runner.start();
    await cluster.clock.advance(1_500);
    void leaver.runner.stop();
    await cluster.clock.advance(300);
    expect(heir.owned).toHaveLength(12);
    joining.fault = undefined;
  });

  test('does not wait for a replica that has just been handed connections by each of the others', async () => {
    const handOversLastMs = 1_200;
    for (let afterMs = 0; afterMs < handOversLastMs; afterMs += 75) {
      cluster = new Cluster(60);
      for (let n = 0; n < 6; n += 1) {
        cluster.replica().runner.start();
        await cluster.clock.advance(137);
      }
      await cluster.clock.advance(20_000);
      const leaver = cluster.replicas[0]!;
      const joining = cluster.replica();
      joining.runner.start();
      while (joining.owned.length === 0) await cluster.clock.advance(5);
      await cluster.clock.advance(afterMs);
      const released = leaver.owned;
      const before = cluster.clock.monotonic();
      void leaver.runner.stop();
      const others = cluster.replicas.slice(1);
      while (!released.every((id) => others.some(({ running }) => running.has(id)))) await cluster.clock.advance(5);
      expect(cluster.clock.monotonic() - before, `stopped ${afterMs} ms after the first hand-over`).toBeLessThanOrEqual(80);
      await cluster.close();
    }
  }, 60_000);

  test('is not undone by a renewal that the leave has overtaken', async () => {
    cluster = new Cluster(4);
    const [leaver, heir] = [await cluster.started(), await cluster.started()];
    await cluster.clock.advance(20_000);
    const renew = leaver.holdFirst('renew');
    await cluster.clock.advance(1_000);
    const stopped = leaver.runner.stop();
    await cluster.clock.advance(100);
    renew();
    await cluster.clock.advance(100);
    await stopped;
    expect(heir.owned).toHaveLength(4);
    const { members } = cluster.server.renew({ replica: 'has not heard it leave', ttlMs: 1, member: false, load: 0, held: [] });
    expect(members.map(({ replica }) => replica)).toEqual([heir.runner.replica]);
  });

  test('releases other claims while one loop is slow to stop', async () => {
    cluster = new Cluster(3);
    const replica = await cluster.started();
    slowToStop(replica, 8_000);
    await cluster.store.put({ id: 'c0001', name: 'slow from now on' });
    await cluster.clock.advance(3_000);
    const stopped = replica.runner.stop();
    await cluster.clock.advance(1_000);
    expect([...cluster.server.owners().keys()]).toEqual(['c0001']);
    await cluster.clock.advance(8_000);
    await stopped;
    expect(cluster.server.owners().size).toBe(0);
  });

  test('announces once that it leaves, and is not counted again while a slow loop still stops', async () => {
    cluster = new Cluster(2);
    const replica = cluster.replica();
    replica.work = async ({ id, signal }) => {
      await aborted(signal);
      if (id === 'c0001') await new Promise<void>((resolve) => { cluster.clock.setTimeout(resolve, 5_000, { ref: true }); });
    };
    replica.runner.start();
    await cluster.clock.advance(2_100);
    void replica.runner.stop();
    await cluster.clock.advance(3_000);
    expect([...cluster.server.owners().keys()], 'renewed until it has stopped').toEqual(['c0001']);
    expect(cluster.server.renew({ replica: 'third', ttlMs: 1, member: false, load: 0, held: [] }).members).toEqual([]);
  });

  test('resolves although the store is unreachable, and lets the claims expire', async () => {
    cluster = new Cluster(2);
    const replica = await cluster.started();
    replica.fault = () => new Promise(() => undefined);
    let done = false;
    void replica.runner.stop().then(() => { done = true; });
    await cluster.clock.advance(9_000);
    expect(done).toBe(true);
    expect(replica.runner.snapshot().state).toBe('stopped');
  });

  test('releases its claims a tick later if the store was down for a moment', async () => {
    cluster = new Cluster(2);
    const replica = await cluster.started();
    const failed = replica.failFirst('release');
    const stopped = replica.runner.stop();
    await cluster.clock.advance(900);
    expect({ failed: failed.count, owners: cluster.server.owners().size }).toEqual({ failed: 1, owners: 2 });
    await cluster.clock.advance(100);
    await stopped;
    expect(cluster.server.owners().size).toBe(0);
  });

  test('starts nothing that was queued', async () => {
    cluster = new Cluster(3);
    let created = 0;
    cluster.create = () => {
      created += 1;
      return new Promise(() => undefined);
    };
    const replica = await cluster.started({ maxConcurrentStarts: 1 });
    expect(created).toBe(1);
    const stopped = replica.runner.stop();
    await cluster.clock.advance(1_000);
    await stopped;
    expect(created).toBe(1);
    expect(cluster.server.owners().size).toBe(0);
  });

  test('does not keep claims of a query under way', async () => {
    cluster = new Cluster(2);
    const replica = cluster.replica();
    let answer: (() => void) | undefined;
    replica.fault = (call, carryOut) =>
      call === 'claim'
        ? new Promise((resolve) => {
            answer = () => resolve(carryOut());
          })
        : carryOut();
    replica.runner.start();
    await cluster.clock.advance(1_500);
    let ownedAtEnd: number | undefined;
    void replica.runner.stop().then(() => { ownedAtEnd = cluster.server.owners().size; });
    await cluster.clock.advance(100);
    expect(ownedAtEnd, 'it waits for the claim').toBeUndefined();
    answer!();
    await cluster.clock.advance(100);
    expect(ownedAtEnd).toBe(0);
    expect(replica.happened('started')).toEqual([]);
  });

  test('leaves no timer behind, returns the same promise when called again, and is final', async () => {
    cluster = new Cluster(3);
    const replica = await cluster.started();
    const first = replica.runner.stop();
    expect(replica.runner.stop()).toBe(first);
    await cluster.clock.advance(1_000);
    await first;
    await replica.registry.close();
    expect(cluster.clock.pendingTimers).toBe(0);
    expect(() => replica.runner.start()).toThrow(expect.objectContaining({ code: 'REGISTRY_CLOSED' }));
  });

  test('does nothing to a runner that was never started', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica();
    await replica.runner.stop();
    expect(replica.calls).toEqual([]);
  });

  test('happens by itself when the registry has closed', async () => {
    cluster = new Cluster(2);
    const [replica, other] = [await cluster.started(), await cluster.started()];
    await cluster.clock.advance(10_000);
    void replica.registry.close({ drainTimeoutMs: 1_000 });
    await cluster.clock.advance(5_000);
    expect(replica.runner.snapshot().state).toBe('stopped');
    expect(other.owned).toEqual(['c0000', 'c0001']);
  });
});
