import { ConnectionRegistry } from 'hydrant';
import { MemoryClaims, type ClaimHint, type ClaimStore, type RunnerRegistry } from 'hydrant/exclusive';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Cluster, type Bot, type Replica, type Row } from './support/cluster.js';

let cluster: Cluster;
beforeEach(() => { cluster = new Cluster(1); });
afterEach(() => cluster.close());

async function stopped({ runner }: Replica): Promise<void> {
  const stop = runner.stop();
  await cluster.clock.advance(1_000);
  await stop;
}

describe('an ExclusiveRunner', () => {
  test('reports its state in its snapshot', async () => {
    const { runner } = cluster.replica();
    const states = [runner.snapshot().state];
    runner.start();
    states.push(runner.snapshot().state);
    const stop = runner.stop();
    states.push(runner.snapshot().state);
    await cluster.clock.advance(1_000);
    await stop;
    states.push(runner.snapshot().state);
    expect(states).toEqual(['idle', 'running', 'stopping', 'stopped']);
    const unused = cluster.replica().runner;
    await unused.stop();
    expect(unused.snapshot().state).toBe('stopped');
  });

  test('runs once although it is started twice', async () => {
    const replica = cluster.replica();
    replica.runner.start();
    replica.runner.start();
    await cluster.clock.advance(2_500);
    expect(replica.calls.filter((call) => call === 'renew')).toHaveLength(3);
  });

  test('is stopped by await using', async () => {
    const { runner } = await cluster.started();
    const disposed = runner[Symbol.asyncDispose]();
    await cluster.clock.advance(1_000);
    await disposed;
    expect(runner.snapshot().state).toBe('stopped');
  });
});

test.each([undefined, null, 'r0', 7, {}, { from: 7, left: true }, { from: 'nobody', left: 'yes' }])(
  'a hint that is odd (%j) looks for free connections, and nothing else',
  async (odd) => {
    let hear!: (hint: ClaimHint) => void;
    const claims = new MemoryClaims({ server: cluster.server });
    const replica = await cluster.started({
      claims: {
        renew: (request) => claims.renew(request), claim: (request) => claims.claim(request),
        release: (request) => claims.release(request), watch: async (listener) => {
          hear = listener;
          return claims.watch(listener);
        },
      },
    });
    const owned = [...replica.owned];
    hear(odd as never);
    await cluster.clock.advance(10_000);
    expect({ owned: replica.owned, failed: replica.happened('claimsFailed') }).toEqual({ owned, failed: [] });
  },
);

describe('the registry of a runner', () => {
  const acquire: RunnerRegistry<Row, Bot>['acquire'] = (...about) => registry.acquire(...about);
  let registry: ConnectionRegistry<Row, Bot>;
  beforeEach(() => {
    registry = new ConnectionRegistry<Row, Bot>({
      store: cluster.store,
      clock: cluster.clock,
      sweepIntervalMs: 0,
      factory: { create: (row) => cluster.create(row) },
    });
  });

  test('need not have events', async () => {
    const replica = await cluster.started({ registry: { acquire } });
    expect(replica.owned).toEqual(['c0000']);
    await stopped(replica);
    expect(cluster.server.owners().size).toBe(0);
  });

  test('has a listener until the runner has stopped', async () => {
    let listening = 0;
    const on: RunnerRegistry<Row, Bot>['on'] = () => {
      listening += 1;
      return () => { listening -= 1; };
    };
    const replica = await cluster.started({ registry: { acquire, on } });
    expect(listening).toBe(2);
    await stopped(replica);
    expect(listening).toBe(0);
  });
});

describe('the claim store of a runner', () => {
  test('need not have watch', async () => {
    const claims = new MemoryClaims({ server: cluster.server });
    const silent: ClaimStore = {
      renew: (request) => claims.renew(request),
      claim: (request) => claims.claim(request),
      release: (request) => claims.release(request),
    };
    const replica = await cluster.started({ claims: silent });
    expect(replica.owned).toEqual(['c0000']);
    await stopped(replica);
    expect(cluster.server.owners().size).toBe(0);
    expect(replica.happened('claimsFailed')).toEqual([]);
  });

  test.each(['renew', 'claim', 'release'] as const)('that fails is reported, with the call: %s', async (call) => {
    const replica = cluster.replica();
    const error = new Error('ECONNREFUSED');
    replica.fault = (which, carryOut) => {
      if (which === call) throw error;
      return carryOut();
    };
    replica.runner.start();
    await cluster.clock.advance(2_100);
    await cluster.store.delete('c0000');
    await cluster.clock.advance(3_000);
    expect(replica.happened('claimsFailed')[0]).toEqual({ call, error });
    expect(new Set(replica.happened('claimsFailed').map((event) => event.call))).toEqual(new Set([call]));
    replica.fault = undefined;
  });

  test('that cannot be watched is reported, and the runner works without hints', async () => {
    const error = new Error('LISTEN is not allowed');
    const claims = new MemoryClaims({ server: cluster.server });
    claims.watch = () => Promise.reject(error);
    const replica = await cluster.started({ claims });
    expect(replica.happened('claimsFailed')[0]).toEqual({ call: 'watch', error });
    expect(replica.owned).toEqual(['c0000']);
  });
});
