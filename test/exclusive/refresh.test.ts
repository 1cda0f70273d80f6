import { afterEach, describe, expect, test } from 'vitest';
import { settle } from 'hydrant/testing';
import { Cluster } from './support/cluster.js';

let cluster: Cluster;
afterEach(() => cluster.close());

describe('refresh()', () => {
  test('lists and claims at once, without advancing the clock', async () => {
    cluster = new Cluster(2);
    const replica = await cluster.started();
    await cluster.store.put({ id: 'new', name: 'new' });
    await replica.runner.refresh();
    expect(replica.runner.owns('new')).toBe(true);
    await settle();
    expect(replica.owned).toEqual(['c0000', 'c0001', 'new']);
  });

  test('lists again when a listing is under way, because that one began too early', async () => {
    cluster = new Cluster(1);
    const answers: ((ids: string[]) => void)[] = [];
    const replica = cluster.replica({ list: () => new Promise((resolve) => { answers.push(resolve); }) });
    replica.runner.start();
    await settle();
    const refreshed = [replica.runner.refresh(), replica.runner.refresh()];
    await settle();
    expect(answers).toHaveLength(1);
    answers[0]!([]);
    await settle();
    expect(answers, 'one listing for both').toHaveLength(2);
    answers[1]!(['c0000']);
    await Promise.all(refreshed);
    await settle();
    expect(answers).toHaveLength(2);
    expect(replica.runner.snapshot().listed).toBe(1);
  });

  test('releases a connection that is no longer listed', async () => {
    cluster = new Cluster(2);
    const replica = await cluster.started();
    await cluster.store.delete('c0000');
    await replica.runner.refresh();
    await settle();
    expect(replica.owned).toEqual(['c0001']);
  });

  test('does not reject when list or the claim store fails, but emits an event', async () => {
    cluster = new Cluster(1);
    let failing = false;
    const replica = await cluster.started({
      list: () => {
        if (failing) throw new Error('no rows');
        return cluster.store.list();
      },
    });
    await cluster.store.put({ id: 'new', name: 'new' });
    failing = true;
    await replica.runner.refresh();
    expect(replica.happened('listFailed')).toHaveLength(1);
    failing = false;
    replica.fault = () => { throw new Error('down'); };
    await replica.runner.refresh();
    expect(replica.happened('claimsFailed').map(({ call }) => call)).toContain('claim');
    replica.fault = undefined;
  });

  test('claims at once, although hints have used up the queries that may be sent', async () => {
    cluster = new Cluster(2);
    cluster.keep('c0001', 60_000);
    const replica = await cluster.started();
    for (let n = 0; n < 20; n += 1) {
      cluster.hint();
      await settle();
    }
    await cluster.store.put({ id: 'new', name: 'new' });
    await replica.runner.refresh();
    expect(replica.runner.owns('new')).toBe(true);
    await settle();
    expect(cluster.clock.pendingTimers, 'a beat, a deadline and a listing: no look is left for later').toBe(3);
  });

  test('waits for a claim query that began after it, and sends none beside another one', async () => {
    cluster = new Cluster(2);
    cluster.keep('c0001', 60_000);
    const replica = await cluster.started();
    const answers: (() => void)[] = [];
    replica.fault = (call, carryOut) =>
      call === 'claim' ? new Promise((resolve) => { answers.push(() => resolve(carryOut())); }) : carryOut();
    let done = false;
    cluster.hint();
    await settle();
    cluster.hint();
    void replica.runner.refresh().then(() => { done = true; });
    await settle();
    expect({ queries: answers.length, done }).toEqual({ queries: 1, done: false });
    answers[0]!();
    await settle();
    expect({ queries: answers.length, done }).toEqual({ queries: 2, done: false });
    answers[1]!();
    await settle();
    expect({ queries: answers.length, done }).toEqual({ queries: 2, done: true });
    replica.fault = undefined;
  });

  test('claims nothing for a replica that has just started, because it does not know the others', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica();
    replica.runner.start();
    await settle();
    await replica.runner.refresh();
    expect(replica.calls).toEqual(['renew']);
  });

  test('does nothing before start and after stop', async () => {
    cluster = new Cluster(1);
    let lists = 0;
    const replica = cluster.replica({ list: () => { lists += 1; return []; } });
    await replica.runner.refresh();
    replica.runner.start();
    await settle();
    expect(lists).toBe(1);
    await replica.runner.stop();
    await replica.runner.refresh();
    expect(lists).toBe(1);
  });

  test('many calls at once cost one listing, and claims follow each other', async () => {
    cluster = new Cluster(1);
    let lists = 0;
    const replica = await cluster.started({ list: () => { lists += 1; return cluster.store.list(); } });
    await cluster.store.put({ id: 'new', name: 'new' });
    [lists, replica.calls.length] = [0, 0];
    await Promise.all(Array.from({ length: 100 }, () => replica.runner.refresh()));
    expect({ lists, claims: replica.calls.length }).toEqual({ lists: 2, claims: 1 });
  });
});

describe('owns()', () => {
  test('is true from the claim until it is lost, released or can no longer be proven', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    expect({ own: replica.runner.owns('c0000'), unknown: replica.runner.owns('unknown') }).toEqual({ own: true, unknown: false });
    cluster.clock.jumpWall(20_000);
    expect(replica.runner.owns('c0000'), 'no timer has fired yet').toBe(false);
    await cluster.clock.advance(5_000);
    expect(replica.runner.owns('c0000'), 'claimed anew').toBe(true);
    await replica.runner.stop();
    expect(replica.runner.owns('c0000')).toBe(false);
  });

  test('is true on at most one replica', async () => {
    cluster = new Cluster(10);
    const replicas = [await cluster.started(), await cluster.started(), await cluster.started()];
    for (let step = 0; step < 100; step += 1) {
      await cluster.clock.advance(200);
      for (const { id } of await cluster.store.list()) {
        expect(replicas.filter(({ runner }) => runner.owns(id)).length).toBeLessThanOrEqual(1);
      }
    }
  });
});
