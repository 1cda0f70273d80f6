import { isConnectionError } from 'hydrant';
import type { RenewResult } from 'hydrant/exclusive';
import { afterEach, describe, expect, test } from 'vitest';
import { aborted, Cluster } from './support/cluster.js';

let cluster: Cluster;
afterEach(() => cluster.close());

const hang = (): Promise<never> => new Promise(() => undefined);

describe('renewals', () => {
  test('of all connections are one query per tick, and the runner sends at most 3 queries per tick', async () => {
    for (const count of [1, 500]) {
      cluster = new Cluster(count);
      const replica = await cluster.started();
      expect(replica.owned).toHaveLength(count);
      replica.calls.length = 0;
      await cluster.clock.advance(60_000);
      expect(replica.calls.filter((call) => call === 'renew')).toHaveLength(60);
      expect(replica.calls.length).toBeLessThanOrEqual(180);
      if (count === 1) await cluster.close();
    }
  });

  test('never wait behind hydrates, listings, claims or releases', async () => {
    cluster = new Cluster(4);
    const replica = await cluster.started();
    cluster.create = hang;
    for (const row of await cluster.store.list()) await cluster.store.put({ id: row.id, name: 'edited' });
    await cluster.store.put({ id: 'new', name: 'new' });
    replica.fault = (call, carryOut) => (call === 'renew' ? carryOut() : hang());
    await cluster.clock.advance(3_000);
    cluster.store.list = hang;
    expect(replica.owned).toEqual([]);
    replica.calls.length = 0;
    await cluster.clock.advance(60_000);
    expect(replica.calls.filter((call) => call === 'renew')).toHaveLength(60);
    expect(cluster.server.owners().size).toBe(4);
    replica.fault = undefined;
  });

  test('keep the tenure until the local deadline while the store is unreachable, and then abort it', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    const tenure = replica.running.get('c0000')!;
    replica.fault = () => { throw new Error('ECONNREFUSED'); };
    const heldAfterRenewalMs = 7_500;
    const sinceRenewalAtMostMs = 1_000;
    await cluster.clock.advance(heldAfterRenewalMs - sinceRenewalAtMostMs - 200);
    expect(tenure.signal.aborted).toBe(false);
    expect(() => tenure.assertHeld()).not.toThrow();
    await cluster.clock.advance(sinceRenewalAtMostMs + 200);
    expect(tenure.signal.aborted).toBe(true);
    expect(isConnectionError(tenure.signal.reason, 'CLAIM_LOST')).toBe(true);
    expect(() => tenure.assertHeld()).toThrow(expect.objectContaining({ code: 'CLAIM_LOST', connectionId: 'c0000' }));
    expect(cluster.server.owners().size, 'the owner has stopped believing before the store lets anybody else in').toBe(1);
    expect(replica.happened('ended')).toEqual([{ id: 'c0000', token: 1n, reason: 'expired' }]);
    replica.fault = undefined;
  });

  test('abort the tenure at once when the store says that the claim is lost', async () => {
    cluster = new Cluster(2);
    const replica = await cluster.started();
    const [lost, kept] = [...replica.running.values()];
    replica.fault = (_call, carryOut) => {
      const answer = carryOut() as RenewResult;
      return { ...answer, renewed: [kept!.id], lost: [lost!.id] };
    };
    await cluster.clock.advance(1_000);
    expect(lost!.signal.aborted).toBe(true);
    expect(isConnectionError(lost!.signal.reason, 'CLAIM_LOST')).toBe(true);
    expect(kept!.signal.aborted).toBe(false);
    expect(replica.happened('ended')).toEqual([{ id: lost!.id, token: lost!.token, reason: 'lost' }]);
    replica.fault = undefined;
  });

  test('treat an id that is in neither list as unknown: kept until the local deadline', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    const tenure = replica.running.get('c0000')!;
    replica.fault = (call, carryOut) => {
      const answer = carryOut();
      return call === 'renew' ? { ...(answer as RenewResult), renewed: [], lost: [] } : answer;
    };
    await cluster.clock.advance(6_000);
    expect(tenure.signal.aborted).toBe(false);
    await cluster.clock.advance(2_000);
    expect(tenure.signal.aborted).toBe(true);
    replica.fault = undefined;
  });

  test('do not prolong a claim that has expired here while its loop still stops', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica({ stopTimeoutMs: 60_000 });
    replica.work = async ({ signal }) => {
      await aborted(signal);
      await new Promise<void>((resolve) => { cluster.clock.setTimeout(resolve, 30_000, { ref: true }); });
    };
    replica.runner.start();
    await cluster.clock.advance(2_100);
    replica.fault = () => { throw new Error('ECONNREFUSED'); };
    await cluster.clock.advance(7_700);
    expect(replica.runner.snapshot().connections[0]).toMatchObject({ state: 'stopping', heldForMs: 0 });
    expect(cluster.server.owners().size, 'the claim has not expired in the store yet').toBe(1);
    replica.fault = undefined;
    await cluster.clock.advance(3_000);
    expect(cluster.server.owners().size).toBe(0);
  });

  test('that report a loss leave nothing to release', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    const { token } = replica.running.get('c0000')!;
    cluster.server.release({ replica: replica.runner.replica, claims: [{ id: 'c0000', token }], leave: false });
    cluster.server.claim({ replica: 'other', ttlMs: 60_000, ids: ['c0000'], limit: 1, freeForMs: 0 });
    await cluster.clock.advance(3_000);
    expect(replica.happened('ended')).toEqual([{ id: 'c0000', token, reason: 'lost' }]);
    expect(replica.calls).not.toContain('release');
  });

  test('that report a loss after the claim has expired here leave nothing to release either', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica();
    replica.work = async ({ signal }) => {
      await aborted(signal);
      await new Promise<void>((resolve) => { cluster.clock.setTimeout(resolve, 3_000, { ref: true }); });
    };
    replica.runner.start();
    await cluster.clock.advance(2_100);
    const tenure = replica.running.get('c0000')!;
    const answer = replica.holdFirst('renew');
    await cluster.clock.advance(1_000);
    cluster.clock.jumpWall(3_600_000);
    expect(() => tenure.assertHeld()).toThrow(expect.objectContaining({ code: 'CLAIM_LOST' }));
    cluster.server.release({ replica: replica.runner.replica, claims: [tenure], leave: false });
    cluster.server.claim({ replica: 'other', ttlMs: 60_000, ids: ['c0000'], limit: 1, freeForMs: 0 });
    answer();
    await cluster.clock.advance(4_000);
    expect(replica.happened('ended')).toEqual([{ id: 'c0000', token: tenure.token, reason: 'lost' }]);
    expect(replica.calls).not.toContain('release');
  });

  test('without an answer are given up after two ticks, and their late answers prove nothing', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    const tenure = replica.running.get('c0000')!;
    const held: (() => void)[] = [];
    replica.fault = (call, carryOut) =>
      call === 'renew'
        ? new Promise((resolve) => {
            held.push(() => resolve(carryOut()));
          })
        : carryOut();
    await cluster.clock.advance(7_000);
    expect(held.length).toBeGreaterThanOrEqual(3);
    expect(tenure.signal.aborted).toBe(false);
    const givenUp = held.slice(0, -1);
    for (const answer of givenUp) answer();
    await cluster.clock.advance(600);
    expect(tenure.signal.aborted).toBe(true);
    replica.fault = undefined;
  });

  test('count a late answer from when its call was sent', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    const tenure = replica.running.get('c0000')!;
    const answerTakesMs = 1_900;
    replica.fault = (call, carryOut) => {
      const answer = carryOut();
      return call === 'renew'
        ? new Promise((resolve) => {
            cluster.clock.setTimeout(() => resolve(answer), answerTakesMs, { ref: true });
          })
        : answer;
    };
    await cluster.clock.advance(30_000);
    expect(tenure.signal.aborted).toBe(false);
    const { heldForMs } = replica.runner.snapshot().connections[0]!;
    expect(heldForMs).toBeLessThanOrEqual(7_500 - answerTakesMs);
    replica.fault = undefined;
  });

  test('release claims that were taken by a query whose answer was lost', async () => {
    cluster = new Cluster(5);
    const replica = cluster.replica();
    let lost = 0;
    replica.fault = (call, carryOut) => {
      const answer = carryOut();
      if (call === 'claim' && lost === 0) {
        lost += 1;
        throw new Error('connection reset');
      }
      return answer;
    };
    replica.runner.start();
    await cluster.clock.advance(4_000);
    expect(lost).toBe(1);
    expect(replica.owned, 'not after a whole ttl').toHaveLength(5);
    expect(replica.running.get('c0000')!.token).toBeGreaterThan(5n);
  });

  test('do not treat claims of a query under way as strays', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    replica.fault = (call, carryOut) => {
      const answer = carryOut();
      return call === 'claim'
        ? new Promise((resolve) => {
            cluster.clock.setTimeout(() => resolve(answer), 1_800, { ref: true });
          })
        : answer;
    };
    await cluster.store.put({ id: 'slow', name: 'slow' });
    await cluster.clock.advance(10_000);
    expect(replica.owned).toEqual(['c0000', 'slow']);
    expect(replica.calls).not.toContain('release');
    replica.fault = undefined;
  });
});
