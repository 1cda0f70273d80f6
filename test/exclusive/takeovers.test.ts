import { afterEach, describe, expect, test } from 'vitest';
import { GivenHints } from '../support/given-hints.js';
import { Cluster } from './support/cluster.js';

let cluster: Cluster;
afterEach(() => cluster.close());

describe('claim queries', () => {
  test('are bounded, however many hints come: eight at once, then one every 200 ms', async () => {
    cluster = new Cluster(2);
    cluster.keep('c0001', 60_000);
    const replica = await cluster.started();
    await cluster.clock.advance(10_000);
    replica.calls.length = 0;
    for (let n = 0; n < 2_000; n += 1) {
      cluster.hint();
      await cluster.clock.advance(5);
    }
    const claims = replica.calls.filter((call) => call === 'claim').length;
    expect(claims, 'one each 200 ms for 10 s, and 8 at once').toBeLessThanOrEqual(58);
    expect(claims, 'and none is left unheard for longer').toBeGreaterThanOrEqual(50);
  });

  test('are not sent while nothing is missing', async () => {
    cluster = new Cluster(2);
    const replica = await cluster.started();
    await cluster.clock.advance(10_000);
    replica.calls.length = 0;
    for (let n = 0; n < 100; n += 1) {
      cluster.hint();
      await cluster.clock.advance(5);
    }
    expect(replica.calls).not.toContain('claim');
  });

  test('are not sent after a listing without new connections', async () => {
    cluster = new Cluster(2);
    cluster.keep('c0001', 60_000);
    const hints = new GivenHints();
    const replica = await cluster.started({
      listIntervalMs: 3_600_000,
      watch: hints.watch,
    });
    const { version } = await cluster.store.put({ id: 'c0000', name: 'edited' });
    replica.calls.length = 0;
    hints.changed(['c0000']);
    await cluster.clock.advance(10);
    expect(replica.runner.snapshot().connections).toMatchObject([{ id: 'c0000', version, state: 'serving' }]);
    expect(replica.calls).toEqual([]);
  });

  test('are not sent for connections that this replica has just given up for others', async () => {
    cluster = new Cluster(2);
    const replica = await cluster.started({ handOverAfterFailures: 1 });
    await cluster.started();
    await cluster.clock.advance(20_000);
    const [id] = replica.owned as [string];
    replica.work = async () => { throw new Error('logged out'); };
    await cluster.store.put({ id, name: 'edited' });
    replica.calls.length = 0;
    while (!replica.calls.includes('release')) await cluster.clock.advance(5);
    await cluster.clock.advance(100);
    expect(replica.calls.slice(replica.calls.indexOf('release'))).toEqual(['release']);
  });

  test('are not sent once the replica stops, not even at the answer of a renewal sent before', async () => {
    cluster = new Cluster(2);
    cluster.keep('c0001', 60_000);
    const replica = await cluster.started();
    const renew = replica.holdFirst('renew');
    await cluster.clock.advance(1_000);
    replica.calls.length = 0;
    void replica.runner.stop();
    renew();
    await cluster.clock.advance(1_000);
    expect(replica.calls).not.toContain('claim');
  });

  test('do not overlap: a hint during one causes another one afterwards', async () => {
    cluster = new Cluster(2);
    cluster.keep('c0001', 600_000);
    const replica = await cluster.started();
    await cluster.clock.advance(10_000);
    let underWay = 0;
    let most = 0;
    replica.fault = (call, carryOut) => {
      if (call !== 'claim') return carryOut();
      underWay += 1;
      most = Math.max(most, underWay);
      const answer = carryOut();
      return new Promise((resolve) => {
        cluster.clock.setTimeout(
          () => {
            underWay -= 1;
            resolve(answer);
          },
          50,
          { ref: true },
        );
      });
    };
    replica.calls.length = 0;
    cluster.hint();
    await cluster.clock.advance(20);
    cluster.hint();
    cluster.hint();
    await cluster.clock.advance(120);
    expect(most).toBe(1);
    expect(replica.calls.filter((call) => call === 'claim')).toHaveLength(2);
    replica.fault = undefined;
  });
});

describe('a replica that starts', () => {
  test('takes its share after a second, however long a tick is', async () => {
    cluster = new Cluster(3);
    const replica = cluster.replica({ ttlMs: 45_000 });
    replica.runner.start();
    await cluster.clock.advance(1_100);
    expect(replica.owned).toHaveLength(3);
  });
});
