import { afterEach, describe, expect, test, vi } from 'vitest';
import { ConnectionRegistry } from 'hydrant';
import { ExclusiveRunner, MemoryClaims, MemoryClaimServer } from 'hydrant/exclusive';
import { Cluster } from './support/cluster.js';

afterEach(() => { vi.restoreAllMocks(); });

describe('events of an ExclusiveRunner', () => {
  test('reach every listener although another throws or rejects, until it unsubscribes', async () => {
    const written = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const cluster = new Cluster(3);
    const replica = cluster.replica();
    const seen: string[] = [];
    replica.runner.on('started', () => { throw new Error('listener'); });
    replica.runner.on('started', async () => { throw new Error('async listener'); });
    const off = replica.runner.on('started', ({ id }) => { seen.push(id); off(); });
    replica.runner.start();
    await cluster.clock.advance(3_000);
    expect(seen).toHaveLength(1);
    expect(replica.owned).toHaveLength(3);
    expect(written).toHaveBeenCalledTimes(6);
    await cluster.close();
  });

  test('that report failures are written to the console once per connection and version if there is no listener', async () => {
    const written = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const cluster = new Cluster(2);
    const registry = new ConnectionRegistry({ store: cluster.store, clock: cluster.clock, factory: { create: () => ({}) } });
    const runner = new ExclusiveRunner({
      registry,
      claims: new MemoryClaims({ server: new MemoryClaimServer({ clock: cluster.clock }) }),
      clock: cluster.clock,
      list: () => cluster.store.list(),
      run: async () => {
        throw new Error('secret-free');
      },
      startBackoff: { initialMs: 10, maxMs: 100 },
    });
    runner.start();
    await cluster.clock.advance(20_000);
    expect(written.mock.calls.map(([line]) => line as string).toSorted()).toEqual([
      "hydrant: startFailed for connection 'c0000'",
      "hydrant: startFailed for connection 'c0001'",
    ]);
    await cluster.store.put({ id: 'c0000', name: 'edited' });
    await cluster.clock.advance(20_000);
    expect(written).toHaveBeenCalledTimes(3);
    const stopped = runner.stop();
    await cluster.clock.advance(1_000);
    await stopped;
  });

  test('have fixed names: an unknown name is refused, and so is a listener that is no function', () => {
    const { runner } = new Cluster(1).replica();
    expect(() => runner.on('start' as never, () => undefined)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTIONS',
        message:
          'ExclusiveRunner: on: expected one of started, ended, startFailed, provisioned, stopUnproven, claimsFailed, '
            + 'listFailed, got "start"',
      }),
    );
    expect(() => runner.on(['started'] as never, () => undefined)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(() => runner.on('toString' as never, () => undefined)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(() => runner.on('started', undefined as never)).toThrow('ExclusiveRunner: on: expected a function, got nothing');
  });

  test('report calls to the claim store that fail', async () => {
    const cluster = new Cluster(1);
    const replica = await cluster.started();
    replica.fault = () => { throw new Error('ECONNREFUSED'); };
    await cluster.clock.advance(1_000);
    expect(replica.happened('claimsFailed')).toEqual([{ call: 'renew', error: new Error('ECONNREFUSED') }]);
    replica.fault = undefined;
    await cluster.close();
  });
});
