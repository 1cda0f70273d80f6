import { afterEach, describe, expect, test } from 'vitest';
import { settle } from 'hydrant/testing';
import type { ClaimCall } from 'hydrant/exclusive';
import { aborted, Cluster, slowToStop, type Replica } from './support/cluster.js';

let cluster: Cluster;
afterEach(() => cluster.close());

const STOP_TIMEOUT_MS = 3_000;
const hang = (): Promise<never> => new Promise(() => undefined);

/** Stops and returns how long that took, in steps of 100 ms. */
async function timeToStop(replica: Replica): Promise<number> {
  const before = cluster.clock.monotonic();
  const stopping = { done: false };
  void replica.runner.stop().then(() => { stopping.done = true; });
  for (let steps = 0; !stopping.done; steps += 1) {
    if (steps > 1_200) throw new Error('still stopping after two minutes');
    await cluster.clock.advance(100);
  }
  return cluster.clock.monotonic() - before;
}

describe('stop() takes at most stopTimeoutMs plus one second', () => {
  const calls: readonly { hanging: readonly ClaimCall[] }[] = [
    { hanging: ['release'] }, { hanging: ['renew'] }, { hanging: ['claim'] }, { hanging: ['renew', 'claim', 'release'] },
  ];

  test.each(calls)('when the claim store hangs at $hanging', async ({ hanging }) => {
    cluster = new Cluster(3);
    const replica = await cluster.started({ stopTimeoutMs: STOP_TIMEOUT_MS });
    replica.fault = (call, carryOut) => (hanging.includes(call) ? hang() : carryOut());
    await cluster.store.put({ id: 'late', name: 'late' });
    await cluster.clock.advance(2_000);
    expect(await timeToStop(replica)).toBeLessThanOrEqual(STOP_TIMEOUT_MS + 1_000);
    expect(replica.runner.snapshot().state).toBe('stopped');
    await replica.registry.close();
    expect(cluster.clock.pendingTimers).toBe(0);
  });

  test('when the claim store hangs from the moment at which the last loop stops', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica({ stopTimeoutMs: STOP_TIMEOUT_MS });
    slowToStop(replica, STOP_TIMEOUT_MS - 100);
    replica.runner.start();
    await cluster.clock.advance(3_000);
    const end = cluster.clock.monotonic() + STOP_TIMEOUT_MS - 500;
    replica.fault = (_call, carryOut) => (cluster.clock.monotonic() < end ? carryOut() : hang());
    expect(await timeToStop(replica)).toBe(STOP_TIMEOUT_MS + 1_000);
  });

  test('when every call to the claim store fails', async () => {
    cluster = new Cluster(3);
    const replica = await cluster.started({ stopTimeoutMs: STOP_TIMEOUT_MS });
    replica.fault = () => { throw new Error('down'); };
    expect(await timeToStop(replica)).toBeLessThanOrEqual(STOP_TIMEOUT_MS + 1_000);
  });

  test('when a loop hangs, list hangs, and the end of a subscription hangs as well', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica({
      stopTimeoutMs: STOP_TIMEOUT_MS,
      watch: async () => ({ [Symbol.asyncDispose]: hang }),
    });
    replica.work = hang;
    replica.runner.start();
    await cluster.clock.advance(3_000);
    replica.fault = hang;
    expect(await timeToStop(replica)).toBeLessThanOrEqual(STOP_TIMEOUT_MS + 1_000);
    expect(replica.happened('stopUnproven')).toHaveLength(1);
  });

  test('and no longer than its loops if the store answers', async () => {
    cluster = new Cluster(3);
    const replica = await cluster.started({ stopTimeoutMs: 60_000 });
    expect(await timeToStop(replica)).toBe(100);
  });
});

test('stop() keeps the process alive until it resolves, by every timer', async () => {
  cluster = new Cluster(1);
  const replica = await cluster.started({ stopTimeoutMs: STOP_TIMEOUT_MS });
  slowToStop(replica, 1_000);
  await cluster.store.put({ id: 'c0000', name: 'slow from now on' });
  await cluster.clock.advance(3_000);
  const { pendingTimers, pendingRefTimers } = cluster.clock;
  const stopped = replica.runner.stop();
  const added = cluster.clock.pendingTimers - pendingTimers;
  expect(added).toBeGreaterThan(0);
  expect(cluster.clock.pendingRefTimers - pendingRefTimers).toBe(added);
  await cluster.clock.advance(2_000);
  await stopped;
});

describe('stop() on a clock that stands still', () => {
  test('ends and has released everything, in one query', async () => {
    cluster = new Cluster(20);
    const replica = await cluster.started();
    replica.calls.length = 0;
    await replica.runner.stop();
    expect({ owners: cluster.server.owners().size, calls: replica.calls }).toEqual({ owners: 0, calls: ['release'] });
  });

  test('ends when loops need turns of the event loop to stop, and a claim is under way', async () => {
    cluster = new Cluster(5);
    const replica = cluster.replica();
    replica.work = async ({ id, signal }) => {
      await aborted(signal);
      for (let turn = Number(id.slice(1)); turn >= 0; turn -= 1) await settle();
    };
    let answer: (() => void) | undefined;
    replica.runner.start();
    await cluster.clock.advance(2_100);
    await cluster.store.put({ id: 'late', name: 'late' });
    replica.fault = (call, carryOut) =>
      call === 'claim'
        ? new Promise((resolve) => {
            answer = () => resolve(carryOut());
          })
        : carryOut();
    await cluster.clock.advance(3_000);
    const stopped = replica.runner.stop();
    await settle();
    answer!();
    await stopped;
    expect(cluster.server.owners().size).toBe(0);
  });
});

describe('after stop()', () => {
  test('a loop that ends late sends nothing to the store', async () => {
    cluster = new Cluster(1);
    const replica = cluster.replica({ stopTimeoutMs: STOP_TIMEOUT_MS });
    let finish: (() => void) | undefined;
    replica.work = () => new Promise((resolve) => { finish = resolve; });
    replica.runner.start();
    await cluster.clock.advance(2_100);
    await timeToStop(replica);
    replica.calls.length = 0;
    finish!();
    await cluster.clock.advance(60_000);
    await replica.registry.close();
    expect({ calls: replica.calls, timers: cluster.clock.pendingTimers }).toEqual({ calls: [], timers: 0 });
  });
});
