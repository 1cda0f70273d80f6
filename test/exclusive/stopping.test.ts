import { afterEach, describe, expect, test } from 'vitest';
import { Cluster, slowToStop, type Replica } from './support/cluster.js';

let cluster: Cluster;
afterEach(() => cluster.close());

async function stoppingForAnEdit(): Promise<Replica> {
  cluster = new Cluster(1);
  const replica = await cluster.started();
  slowToStop(replica, 5_000);
  await cluster.store.put({ id: 'c0000', name: 'edited' });
  await cluster.clock.advance(3_000);
  await cluster.store.put({ id: 'c0000', name: 'edited again' });
  await cluster.clock.advance(2_200);
  expect(replica.runner.snapshot().connections[0]!.state).toBe('stopping');
  replica.events.length = 0;
  return replica;
}

describe('stop first, then release', () => {
  test('keeps and renews the claim until the loop has stopped', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started({ stopTimeoutMs: 60_000 });
    slowToStop(replica, 30_000);
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    await cluster.clock.advance(3_000);
    const tenure = replica.running.get('c0000')!;
    await cluster.store.delete('c0000');
    await cluster.clock.advance(3_000);
    expect(tenure.signal.aborted).toBe(true);
    await cluster.clock.advance(25_000);
    expect(() => tenure.assertHeld(), 'a loop that stops in order may still finish what it does').not.toThrow();
    expect(replica.calls).not.toContain('release');
    expect(cluster.server.owners().size).toBe(1);
    await cluster.clock.advance(6_000);
    expect(cluster.server.owners().size).toBe(0);
    expect(() => tenure.assertHeld()).toThrow(expect.objectContaining({ code: 'CLAIM_LOST' }));
  });

  test('also releases a claim that has expired here, because the wall clock may have jumped', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    const tenure = replica.running.get('c0000')!;
    cluster.clock.jumpWall(3_600_000);
    expect(() => tenure.assertHeld()).toThrow(expect.objectContaining({ code: 'CLAIM_LOST' }));
    expect(cluster.server.owners().size).toBe(1);
    await cluster.clock.advance(50);
    expect(cluster.server.owners().size, 'before the next tick').toBe(0);
  });

  test('waits for unfinished calls of tenure.use', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    const tenure = replica.running.get('c0000')!;
    let finish: (() => void) | undefined;
    const used = tenure.use((bot) => new Promise<string>((resolve) => { finish = () => resolve(bot.name); }));
    await cluster.store.delete('c0000');
    await cluster.clock.advance(3_000);
    expect(replica.owned).toEqual([]);
    expect(cluster.server.owners().size).toBe(1);
    finish!();
    expect(await used).toBe('c0000');
    await cluster.clock.advance(100);
    expect(cluster.server.owners().size).toBe(0);
    await expect(tenure.use(() => 'too late')).rejects.toMatchObject({ code: 'CLAIM_LOST' });
  });

  test('keeps the claim until it expires if the loop does not stop, and runs no second loop', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started({ stopTimeoutMs: 5_000 });
    slowToStop(replica, 120_000);
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    await cluster.clock.advance(3_000);
    const hung = replica.running.get('c0000')!;
    await cluster.store.put({ id: 'c0000', name: 'edited again' });
    await cluster.clock.advance(7_200);
    expect(replica.happened('stopUnproven')).toEqual([{ id: 'c0000', token: hung.token }]);
    expect(replica.runner.snapshot().connections[0]!.state).toBe('stuck');
    const other = cluster.replica();
    other.runner.start();
    await cluster.clock.advance(6_000);
    expect(other.owned, 'not before it has run out').toEqual([]);
    expect(replica.calls).not.toContain('release');
    await cluster.clock.advance(10_000);
    expect(other.owned, 'because nobody else takes it, although it is in the share of the hung replica').toEqual(['c0000']);
    expect(() => hung.assertHeld()).toThrow(expect.objectContaining({ code: 'CLAIM_LOST' }));
    void other.runner.stop();
    await cluster.clock.advance(20_000);
    expect(replica.happened('started')).toHaveLength(2);
    await cluster.clock.advance(120_000);
    expect(replica.owned, 'and may serve again once the hung loop has ended').toEqual(['c0000']);
  });

  test('continues with a new claim when a hung loop ends after all', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started({ stopTimeoutMs: 1_000 });
    slowToStop(replica, 3_000);
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    await cluster.clock.advance(2_500);
    await cluster.store.put({ id: 'c0000', name: 'edited again' });
    await cluster.clock.advance(20_000);
    expect(replica.running.get('c0000')?.record.name).toBe('edited again');
    expect(replica.running.get('c0000')!.token).toBeGreaterThan(1n);
  });
});

describe('a release that fails', () => {
  test('is retried at the next tick', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    const failed = replica.failFirst('release');
    await cluster.store.delete('c0000');
    await cluster.clock.advance(4_000);
    expect(failed.count).toBe(1);
    expect(cluster.server.owners().size).toBe(0);
  });

  test('is retried once when the runner stops', async () => {
    cluster = new Cluster(2);
    const replica = await cluster.started();
    const failed = replica.failFirst('release');
    const stopped = replica.runner.stop();
    await cluster.clock.advance(2_000);
    await stopped;
    expect(failed.count).toBe(1);
    expect(cluster.server.owners().size).toBe(0);
  });

  test('is given up once the claim has expired, so that it can be claimed again', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    replica.fault = (call, carryOut) => {
      if (call === 'release') throw new Error('connection reset');
      return carryOut();
    };
    await cluster.store.delete('c0000');
    await cluster.clock.advance(15_000);
    expect(replica.runner.snapshot().connections).toEqual([]);
    await cluster.store.put({ id: 'c0000', name: 'again' });
    await cluster.clock.advance(5_000);
    expect(replica.owned).toEqual(['c0000']);
    replica.fault = undefined;
  });
});

describe('a loop that is slow to stop after an edit', () => {
  test('does not start again when the runner is stopped meanwhile', async () => {
    const replica = await stoppingForAnEdit();
    const stopped = replica.runner.stop();
    await cluster.clock.advance(6_000);
    await stopped;
    expect(replica.happened('started')).toEqual([]);
    expect(replica.happened('ended')).toMatchObject([{ reason: 'stopped' }]);
    expect(cluster.server.owners().size).toBe(0);
  });

  test('does not start again under a claim that is lost meanwhile', async () => {
    const replica = await stoppingForAnEdit();
    const { token } = replica.running.get('c0000')!;
    const held = { id: 'c0000', token };
    cluster.server.release({ replica: replica.runner.replica, claims: [held], leave: false });
    await cluster.clock.advance(20_000);
    expect(replica.happened('ended')).toMatchObject([{ token, reason: 'lost' }]);
    expect(replica.happened('started').every((start) => start.token > token)).toBe(true);
    expect(replica.happened('started')).toHaveLength(1);
  });

  test('does not start again when it is given up meanwhile, even after a later edit', async () => {
    const replica = await stoppingForAnEdit();
    await cluster.store.delete('c0000');
    await cluster.clock.advance(10_000);
    expect(replica.happened('started')).toEqual([]);
    expect(replica.happened('ended')).toMatchObject([{ reason: 'unlisted' }]);
    expect(cluster.server.owners().size).toBe(0);
  });
});
