import { describe, expect, test, vi } from 'vitest';
import type { RegistryEvents } from 'hydrant';
import { instrument } from 'hydrant/otel';
import { settle } from 'hydrant/testing';
import { systemClock } from '../../src/clock.js';
import { EMPTY_SNAPSHOT } from '../support/empty-snapshot.js';
import { realSdk } from './support/sdk.js';

/** A registry whose snapshot and events the test sets. */
function fakeRegistry(snapshot = EMPTY_SNAPSHOT) {
  const listeners = new Map<string, (payload: any) => void>();
  return {
    snapshot: () => snapshot,
    on(event: string, listener: (payload: any) => void) {
      listeners.set(event, listener);
      return () => void listeners.delete(event);
    },
    tell<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]) {
      listeners.get(event)?.(payload);
    },
    use: unused,
    acquire: unused,
    tryAcquire: unused,
    handleWebhook: unused,
  };
}
const unused = (): never => { throw new Error('not asked'); };

describe('metrics of hydrant/otel, with the real SDK', () => {
  const sdk = realSdk();
  const { points, instrumented } = sdk;
  const bots = { 'hydrant.registry.name': 'bots' };

  test('count connections by state, and report the caps', async () => {
    const { connections, registry } = instrumented({}, { maxInstances: 7 });
    const lease = await connections.acquire('acme');
    await connections.use('other', () => {});
    const counts = Object.fromEntries(
      (await points('hydrant.connection.count')).map(({ attributes, value }) => [attributes['hydrant.connection.state'], value]),
    );
    expect(counts).toEqual({ idle: 1, leased: 1, hydrating: 0, draining: 0, disposing: 0 });
    expect(await points('hydrant.connection.max')).toEqual([{ attributes: bots, value: 7 }]);
    expect(await points('hydrant.hydration.queued')).toEqual([{ attributes: bots, value: 0 }]);
    expect(await points('hydrant.store.reads.abandoned')).toEqual([{ attributes: bots, value: 0 }]);
    registry.invalidate('acme');
    expect(
      (await points('hydrant.connection.count')).find(({ attributes }) => attributes['hydrant.connection.state'] === 'draining')
        ?.value,
    ).toBe(1);
    lease.release();
  });

  test('report staleness and the longest lease, in seconds', async () => {
    const { connections } = instrumented({}, { sweepIntervalMs: 0 });
    const lease = await connections.acquire('acme');
    await sdk.clock.advance(2_500);
    expect(await points('hydrant.connection.staleness')).toEqual([{ attributes: bots, value: 2.5 }]);
    expect(await points('hydrant.lease.age')).toEqual([{ attributes: bots, value: 2.5 }]);
    lease.release();
    expect(await points('hydrant.lease.age')).toEqual([{ attributes: bots, value: 0 }]);
  });

  test('report the count of every state, and count only live instances as stale', async () => {
    const limits = { maxInstances: 9, maxConcurrentHydrations: 16, maxQueuedHydrations: 1000 };
    const connection = (state: string, checkedAgoMs: number) => ({ id: state, state, version: '1', leases: 0, checkedAgoMs });
    const registry = fakeRegistry({
      live: 3,
      idle: 2,
      leased: 1,
      hydrating: 0,
      queued: 0,
      draining: 1,
      reads: { inFlight: 0, abandoned: 0 },
      limits,
      connections: [
        connection('idle', 1_000),
        connection('idle', 3_000),
        connection('leased', 2_000),
        connection('draining', 60_000),
      ],
    });
    instrument(registry, { meter: sdk.meter });
    const counts = (await points('hydrant.connection.count')).map(({ attributes, value }) => [
      attributes['hydrant.connection.state'],
      value,
    ]);
    expect(Object.fromEntries(counts)).toEqual({ idle: 2, leased: 1, hydrating: 0, draining: 1, disposing: 0 });
    expect(counts).toHaveLength(5);
    expect(await points('hydrant.connection.staleness')).toEqual([{ attributes: {}, value: 3 }]);
    registry.snapshot = () => ({ ...fakeRegistry().snapshot(), connections: [connection('leased', 5_000)] });
    expect(await points('hydrant.connection.staleness')).toEqual([{ attributes: {}, value: 5 }]);
  });

  test('count how often evictions showed that maxInstances is too small', async () => {
    const registry = fakeRegistry();
    instrument(registry, { meter: sdk.meter });
    registry.tell('thrashing', { maxInstances: 9, evictionsPerMinute: 100 });
    expect(await points('hydrant.thrashing')).toStrictEqual([{ attributes: {}, value: 1 }]);
  });

  test('report how long hydrates take, on the clock of the registry, and failures by code', async () => {
    let fail = false;
    const { connections, registry } = instrumented({
      create: () =>
        new Promise<object>((resolve, reject) => {
          sdk.clock.setTimeout(
            () => {
              if (fail) reject(new Error('no'));
              else resolve({});
            },
            250,
            { ref: true },
          );
        }),
    });
    const use = connections.use('acme', () => {});
    await sdk.clock.advance(250);
    await use;
    expect(await points('hydrant.hydration.duration')).toMatchObject([{ value: { count: 1, sum: 0.25 } }]);
    fail = true;
    registry.invalidate('acme');
    const second = expect(connections.use('acme', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    await sdk.clock.advance(250);
    await second;
    expect(await points('hydrant.hydration.failures')).toEqual([
      { attributes: { ...bots, 'error.type': 'HYDRATION_FAILED' }, value: 1 },
    ]);
  });

  test('count evictions and other disposals by reason, retirements, and abandoned leases', async () => {
    const { connections, registry } = instrumented({}, { maxInstances: 1 });
    await connections.use('acme', () => {});
    const lease = await connections.acquire('other');
    await settle();
    expect(await points('hydrant.connection.disposals')).toEqual([
      { attributes: { ...bots, 'hydrant.dispose.reason': 'evicted' }, value: 1 },
    ]);
    expect(await points('hydrant.lease.abandoned'), 'no series where none was').toEqual([]);
    lease.retire(new Error('dead'));
    expect(await points('hydrant.connection.retirements')).toEqual([{ attributes: bots, value: 1 }]);
    const closed = registry.close({ drainTimeoutMs: 0 });
    await sdk.clock.advance(0);
    await closed;
    expect(await points('hydrant.lease.abandoned')).toEqual([{ attributes: bots, value: 1 }]);
  });

  test('count webhooks answered with a failure, disposes and reads that failed', async () => {
    const { connections, store, registry } = instrumented({
      authenticate: () => false,
      handleWebhook: () => new Response(),
      dispose: () => {
        throw new Error('no');
      },
    });
    await connections.handleWebhook('acme', new Request('http://x/'));
    expect(await points('hydrant.webhook.failures')).toEqual([
      { attributes: { ...bots, 'error.type': 'UNAUTHENTICATED', 'hydrant.webhook.acknowledged': false }, value: 1 },
    ]);
    await connections.use('acme', () => {});
    registry.invalidate('acme');
    await settle();
    expect(await points('hydrant.dispose.failures')).toEqual([{ attributes: bots, value: 1 }]);
    store.get = () => Promise.reject(new Error('down'));
    await expect(connections.use('acme', () => {})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await points('hydrant.store.failures')).toEqual([{ attributes: bots, value: 1 }]);
  });

  test('report how long uses wait and last, and which failed, without an id', async () => {
    const { connections } = instrumented();
    await connections.use('acme', () => {});
    await expect(connections.use('acme', () => { throw new RangeError('no'); })).rejects.toThrow('no');
    await expect(connections.use('gone', () => {})).rejects.toThrow();
    const kinds = async (name: string): Promise<object[]> =>
      (await points(name)).map(({ attributes, value }) => ({ error: attributes['error.type'], count: value.count }));
    expect(await kinds('hydrant.use.wait_time')).toEqual([
      { error: undefined, count: 2 },
      { error: 'CONNECTION_NOT_FOUND', count: 1 },
    ]);
    expect(await kinds('hydrant.use.duration')).toEqual([
      { error: undefined, count: 1 },
      { error: 'RangeError', count: 1 },
    ]);
    expect(JSON.stringify(await sdk.exported())).not.toMatch(/acme|xoxb/);
  });

  test('report waits and uses in seconds, separately', async () => {
    let now = 5_000;
    vi.spyOn(systemClock, 'monotonic').mockImplementation(() => now);
    const { connections } = instrumented({ create: () => { now += 250; return {}; } });
    await connections.use('acme', () => { now += 2_000; });
    const sums = async (name: string): Promise<object[]> =>
      (await points(name)).map(({ attributes, value }) => ({ error: attributes['error.type'], seconds: value.sum }));
    expect(await sums('hydrant.use.wait_time')).toEqual([{ error: undefined, seconds: 0.25 }]);
    expect(await sums('hydrant.use.duration')).toEqual([{ error: undefined, seconds: 2 }]);
    await expect(connections.use('acme', () => { now += 500; throw new RangeError('no'); })).rejects.toThrow('no');
    expect(await sums('hydrant.use.duration')).toEqual([
      { error: undefined, seconds: 2 },
      { error: 'RangeError', seconds: 0.5 },
    ]);
  });

  test('report how long acquire waits for leases, and failures', async () => {
    const { connections } = instrumented();
    (await connections.acquire('acme')).release();
    await expect(connections.acquire('gone')).rejects.toThrow();
    const waits = (await points('hydrant.use.wait_time')).map(({ attributes, value }) => ({ attributes, count: value.count }));
    expect(waits).toEqual([
      { attributes: bots, count: 1 },
      { attributes: { ...bots, 'error.type': 'CONNECTION_NOT_FOUND' }, count: 1 },
    ]);
  });

  test('have the type _OTHER for a failure that is no error', async () => {
    const { connections } = instrumented();
    await connections.use('acme', () => Promise.reject('a text with a secret')).catch(() => {});
    expect((await points('hydrant.use.duration')).map(({ attributes }) => attributes)).toEqual([
      { ...bots, 'error.type': '_OTHER' },
    ]);
  });

  test('end with stop, and uses continue', async () => {
    const { connections, registry } = instrumented();
    connections.stop();
    await connections.use('acme', () => {});
    registry.invalidate('acme');
    await settle();
    expect(await points('hydrant.connection.count')).toEqual([]);
    expect(await points('hydrant.connection.disposals')).toEqual([]);
  });
});
