import { describe, expect, test } from 'vitest';
import { EMPTY_SNAPSHOT } from './support/empty-snapshot.js';
import { Harness } from './support/harness.js';

const empty = {
  ...EMPTY_SNAPSHOT,
  limits: { maxInstances: 1000, maxConcurrentHydrations: 16, maxQueuedHydrations: 1000 },
};

describe('snapshot', () => {
  test('of nothing', async () => {
    const h = new Harness();
    expect(h.registry.snapshot()).toEqual(empty);
    await h.registry.close();
    expect(h.registry.snapshot()).toEqual(empty);
  });

  test('follows a connection through its life', async () => {
    const h = new Harness();
    await h.clock.advance(1_000);
    const of = (): unknown[] => h.registry.snapshot().connections.map(({ id: _id, ...rest }) => rest);
    h.rows.put('a');
    const create = h.holdCreate();
    const acquiring = h.registry.acquire('a');
    await h.settle();
    expect(h.registry.snapshot()).toMatchObject({ live: 0, hydrating: 1, queued: 0 });
    expect(of()).toEqual([{ state: 'hydrating', version: 'v1', leases: 0 }]);

    create.resolve();
    const lease = await acquiring;
    await h.clock.advance(70);
    expect(h.registry.snapshot()).toMatchObject({ live: 1, leased: 1, idle: 0 });
    expect(of()).toEqual([{ state: 'leased', version: 'v1', leases: 1, ageMs: 70, leasedForMs: 70, checkedAgoMs: 70 }]);

    const second = await h.registry.acquire('a');
    expect(of()).toEqual([{ state: 'leased', version: 'v1', leases: 2, ageMs: 70, leasedForMs: 70, checkedAgoMs: 0 }]);
    second.release();

    h.registry.invalidate('a');
    expect(h.registry.snapshot()).toMatchObject({ live: 0, draining: 1 });
    expect(of()).toEqual([{ state: 'draining', version: 'v1', leases: 1, ageMs: 70, leasedForMs: 70, checkedAgoMs: 0 }]);

    const dispose = h.holdDispose();
    lease.release();
    expect(of()).toEqual([{ state: 'disposing', version: 'v1', leases: 0, ageMs: 70, checkedAgoMs: 0 }]);
    dispose.resolve();
    await h.settle();
    expect(h.registry.snapshot()).toEqual(empty);
  });

  test('shows an old generation beside its successor', async () => {
    const h = new Harness();
    h.rows.put('a');
    const old = await h.registry.acquire('a');
    h.rows.put('a');
    await h.registry.use('a', () => {});
    expect(h.registry.snapshot()).toMatchObject({ live: 1, idle: 1, leased: 0, draining: 1 });
    expect(h.registry.snapshot().connections).toMatchObject([
      { state: 'idle', version: 'v2' },
      { state: 'draining', version: 'v1' },
    ]);
    old.release();
  });

  test('counts a slot that waits for a permit as queued and hydrating', async () => {
    const h = new Harness({ maxConcurrentHydrations: 1 });
    for (const id of ['a', 'b', 'c']) h.rows.put(id);
    const gates = [h.holdCreate(0), h.holdCreate(1), h.holdCreate(2)];
    const uses = ['a', 'b', 'c'].map((id) => h.registry.use(id, () => {}));
    await h.settle();
    expect(h.registry.snapshot()).toMatchObject({ hydrating: 3, queued: 2 });
    for (const gate of gates) gate.resolve();
    await Promise.all(uses);
    expect(h.registry.snapshot()).toMatchObject({ hydrating: 0, queued: 0, idle: 3, live: 3 });
  });

  test('counts a create that was given up and has not settled as hydrating', async () => {
    const h = new Harness({ hydrationTimeoutMs: 1_000 });
    h.rows.put('a');
    h.holdCreate();
    h.registry.use('a', () => {}).catch(() => {});
    await h.clock.advance(1_000);
    expect(h.registry.snapshot()).toMatchObject({
      hydrating: 1,
      live: 0,
      draining: 0,
      connections: [{ id: 'a', state: 'hydrating', leases: 0 }],
    });
  });

  test('shows the last good instance beside its successor, with its leases', async () => {
    const h = new Harness({ keepLastGood: true });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.put('a');
    h.holdCreate();
    void h.registry.use('a', () => {});
    await h.settle();
    expect(h.registry.snapshot().connections).toMatchObject([
      { state: 'hydrating', version: 'v2', leases: 0 },
      { state: 'idle', version: 'v1', leases: 0 },
    ]);
  });

  test('dates the oldest lease from when the instance was last idle', async () => {
    const h = new Harness({ idleTimeoutMs: Infinity });
    h.rows.put('leaky');
    h.rows.put('busy');
    await h.registry.acquire('leaky');
    for (let minute = 0; minute < 10; minute += 1) {
      const lease = await h.registry.acquire('busy');
      await h.clock.advance(60_000);
      lease.release();
    }
    await h.registry.acquire('busy');
    const { connections } = h.registry.snapshot();
    expect(Object.fromEntries(connections.map(({ id, leasedForMs }) => [id, leasedForMs]))).toEqual({ leaky: 600_000, busy: 0 });
  });

  test('is plain JSON, whatever the type of the version', async () => {
    const h = new Harness({ store: { get: async (id) => ({ id, status: 'active', version: 2n ** 65n as never, token: 't' }) } });
    await h.registry.use('a', () => {});
    const snapshot = h.registry.snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    expect(snapshot.connections[0]?.version).toBe('36893488147419103232');
  });

  test('does not change later', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    const before = h.registry.snapshot();
    const copy = structuredClone(before);
    await h.registry.close();
    expect(before).toEqual(copy);
  });
});
