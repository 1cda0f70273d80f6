import { afterEach, describe, expect, test } from 'vitest';
import { ConnectionRegistry } from 'hydrant';
import { GivenHints } from '../support/given-hints.js';
import { Cluster, type Bot, type Row } from './support/cluster.js';

let cluster: Cluster;
afterEach(() => cluster.close());

describe('an edited record', () => {
  test('restarts the tenure: the old loop has stopped before the new one begins, under the same token', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    const old = replica.running.get('c0000')!;
    let overlapped = false;
    replica.work = async () => { overlapped ||= replica.running.get('c0000') === old; };
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    await cluster.clock.advance(2_000);
    const now = replica.running.get('c0000')!;
    expect(now).not.toBe(old);
    expect(now.record.name).toBe('edited');
    expect(await now.use((bot) => bot.name)).toBe('edited');
    expect(now.token).toBe(old.token);
    expect(overlapped).toBe(false);
    expect((old.signal.reason as Error).name).toBe('AbortError');
    expect(() => old.assertHeld(), 'a tenure kept in a closure is dead').toThrow(expect.objectContaining({ code: 'CLAIM_LOST' }));
    expect(replica.calls).not.toContain('release');
  });

  test('is not stopped by a call of assertHeld on the tenure before it', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    const old = replica.running.get('c0000')!;
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    await cluster.clock.advance(2_000);
    const now = replica.running.get('c0000')!;
    expect(() => old.assertHeld()).toThrow(expect.objectContaining({ code: 'CLAIM_LOST' }));
    await cluster.clock.advance(1_000);
    expect(now.signal.aborted).toBe(false);
    expect(() => now.assertHeld()).not.toThrow();
  });

  test('is served in its new version at once, whatever the freshness of the registry', async () => {
    cluster = new Cluster(1);
    const registry = new ConnectionRegistry<Row, Bot>({
      store: cluster.store,
      clock: cluster.clock,
      freshness: { maxStaleMs: 600_000 },
      factory: { create: (row) => ({ id: row.id, name: row.name, sent: [] }) },
    });
    const replica = await cluster.started({ registry });
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    await cluster.clock.advance(2_000);
    expect(replica.running.get('c0000')!.record.name).toBe('edited');
    expect(replica.happened('started')).toHaveLength(2);
  });

  test('is noticed with a listing of ids alone, once the registry has seen it', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started({ list: async () => ['c0000'] });
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    await cluster.clock.advance(20_000);
    expect(replica.running.get('c0000')!.record.name, 'nothing has told the registry').toBe('c0000');
    await replica.registry.use('c0000', () => undefined);
    await cluster.clock.advance(10);
    expect(replica.running.get('c0000')!.record.name).toBe('edited');
  });

  test('is noticed at once when watch gives a hint', async () => {
    cluster = new Cluster(1);
    const hints = new GivenHints();
    const replica = await cluster.started({
      listIntervalMs: 3_600_000,
      watch: hints.watch,
    });
    await cluster.clock.advance(10_000);
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    hints.changed(['c0000']);
    await cluster.clock.advance(10);
    expect(replica.running.get('c0000')!.record.name).toBe('edited');
    const stopped = replica.runner.stop();
    await cluster.clock.advance(100);
    await stopped;
    expect(hints.ended).toBe(true);
  });

  test('causes one listing for a burst of hints, and one more for those that come while it is read', async () => {
    cluster = new Cluster(1);
    const hints = new GivenHints();
    const lists: (() => void)[] = [];
    const replica = cluster.replica({
      listIntervalMs: 3_600_000,
      list: () => new Promise((resolve) => { lists.push(() => resolve(['c0000'])); }),
      watch: hints.watch,
    });
    replica.runner.start();
    await cluster.clock.advance(0);
    lists[0]!();
    await cluster.clock.advance(5_000);
    for (let hint = 0; hint < 50; hint += 1) hints.changed(['c0000']);
    await cluster.clock.advance(0);
    expect(lists).toHaveLength(2);
    for (let hint = 0; hint < 50; hint += 1) hints.gap();
    lists[1]!();
    await cluster.clock.advance(1_000);
    expect(lists).toHaveLength(3);
    lists[2]!();
    await cluster.clock.advance(60_000);
    expect(lists).toHaveLength(3);
  });

  test('does not restart again and again while the listing lags behind the record', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started({ list: async () => [{ id: 'c0000', version: 'old' }] });
    await cluster.clock.advance(30_000);
    expect(replica.happened('started')).toHaveLength(1);
  });

  test('that is edited again while it is hydrated is served in its last version', async () => {
    cluster = new Cluster(1);
    const waiting: (() => void)[] = [];
    cluster.create = (row) =>
      new Promise((resolve) => {
        waiting.push(() => resolve({ id: row.id, name: row.name, sent: [] }));
      });
    const replica = await cluster.started();
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    await cluster.clock.advance(3_000);
    waiting[0]!();
    await cluster.clock.advance(10);
    expect(replica.owned).toEqual([]);
    waiting[1]!();
    await cluster.clock.advance(10);
    expect(replica.running.get('c0000')!.record.name).toBe('edited');
    expect(replica.happened('startFailed')).toEqual([]);
  });

  test('causes a new tenure when its instance has died', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    const old = replica.running.get('c0000')!;
    await replica.registry.use('c0000', (_bot, lease) => lease.retire('socket closed'));
    await cluster.clock.advance(5_000);
    expect(old.signal.aborted).toBe(true);
    expect(replica.owned).toEqual(['c0000']);
    expect(replica.running.get('c0000')).not.toBe(old);
  });
});

describe('the listing', () => {
  test('decides what is owned: missing connections are stopped and released, new ones are taken', async () => {
    cluster = new Cluster(2);
    const replica = await cluster.started();
    await cluster.store.delete('c0000');
    await cluster.store.put({ id: 'new', name: 'new' });
    await cluster.clock.advance(2_300);
    expect(replica.owned).toEqual(['c0001', 'new']);
    expect(replica.happened('ended')).toMatchObject([{ id: 'c0000', reason: 'unlisted' }]);
    expect([...cluster.server.owners().keys()].toSorted()).toEqual(['c0001', 'new']);
  });

  test('releases at once a claim on a connection that is no longer in it', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica();
    const answer = replica.holdFirst('claim');
    replica.runner.start();
    await cluster.clock.advance(1_500);
    await cluster.store.delete('c0000');
    await cluster.clock.advance(600);
    answer();
    await cluster.clock.advance(100);
    expect(replica.happened('started')).toEqual([]);
    expect(replica.calls.filter((call) => call === 'release')).toHaveLength(1);
    expect(cluster.server.owners().size).toBe(0);
  });

  test('that a hint asks for brings new connections at once, not at the next tick', async () => {
    cluster = new Cluster(1);
    const hints = new GivenHints();
    const replica = await cluster.started({
      listIntervalMs: 3_600_000,
      watch: hints.watch,
    });
    await cluster.store.put({ id: 'new', name: 'new' });
    hints.changed(['new']);
    await cluster.clock.advance(10);
    expect(replica.owned).toEqual(['c0000', 'new']);
  });

  test('leaves out stopped connections', async () => {
    cluster = new Cluster(2);
    await cluster.store.put({ id: 'c0000', name: 'x', status: 'stopped' });
    const replica = await cluster.started();
    expect(replica.owned).toEqual(['c0001']);
  });

  test('stays in force while list fails', async () => {
    cluster = new Cluster(2);
    const replica = await cluster.started();
    cluster.store.list = () => Promise.reject(new Error('no such table'));
    await cluster.clock.advance(30_000);
    expect(replica.owned).toEqual(['c0000', 'c0001']);
    expect(replica.happened('listFailed')[0]).toEqual({ error: new Error('no such table') });
  });

  test('is given up after 30 s without an answer, and requested again', async () => {
    cluster = new Cluster(0);
    let asked = 0;
    const replica = cluster.replica({ list: () => { asked += 1; return asked === 1 ? new Promise(() => undefined) : ['c1']; } });
    await cluster.store.put({ id: 'c1', name: 'x' });
    replica.runner.start();
    await cluster.clock.advance(35_000);
    expect(replica.happened('listFailed')[0]!.error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(replica.owned).toEqual(['c1']);
  });

  test('leaves out ids that no store accepts, reports them, and serves the others', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started({
      list: () => ['c0000', '', 'nul\0', '\ud800', 'x'.repeat(1_025), 7 as never, null as never, { version: 1 } as never],
    });
    expect(replica.owned).toEqual(['c0000']);
    expect(replica.happened('listFailed')[0]!.error).toEqual(
      new TypeError(
        'list: ignored 7 entries that are not ids: expected text of 1 to 1024 characters, well-formed and without NUL',
      ),
    );
  });
});
