import { describe, expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore, type ConnectionRecord } from 'hydrant';
import { ManualClock, RecordingFactory, settle } from 'hydrant/testing';
import { example } from './support.js';

const { withMaximumAge } = await example('recipes/maximum-age.mjs');
const { checkHealth } = await example('recipes/health-check.mjs');
const { suspectedLeaks } = await example('recipes/leak-warnings.mjs');
const { rotateEverywhere, rotateHere } = await example('recipes/secret-rotation.mjs');
const { around, organisation } = await example('recipes/async-context.mjs');

const ping = async ({ record }: { record: ConnectionRecord }): Promise<void> => {
  if (record.id === 'dead') throw new Error('no answer');
};

describe('examples/recipes', () => {
  test('maximum-age: a busy instance is replaced, and its users finish', async () => {
    const clock = new ManualClock();
    const factory = new RecordingFactory({ clock });
    const registry = new ConnectionRegistry({
      clock,
      store: new MemoryStore([{ id: 'a' }]),
      factory: withMaximumAge(factory, { maxAgeMs: 60_000, clock }),
      failureBackoff: { initialMs: 0, maxMs: 0 },
    });
    const lease = await registry.acquire('a');
    await clock.advance(59_999);
    expect(lease.stale).toBe(false);
    await clock.advance(1);
    expect({ stale: lease.stale, live: factory.live.length }).toEqual({ stale: true, live: 1 });
    await registry.use('a', () => {});
    lease.release();
    await settle();
    expect(factory.history.filter((line) => line.startsWith('dispose '))).toEqual(['dispose a 1 retired']);
    expect(factory.live.map(({ serial }) => serial)).toEqual([2]);
    await registry.close();
    expect(clock.pendingTimers).toBe(0);
  });

  test('health-check: what does not answer is retired, and nothing is started', async () => {
    const factory = new RecordingFactory();
    const registry = new ConnectionRegistry({
      store: new MemoryStore([{ id: 'well' }, { id: 'dead' }, { id: 'cold' }]), factory, freshness: { maxStaleMs: 60_000 },
    });
    await Promise.all(['well', 'dead'].map((id) => registry.use(id, () => {})));
    expect(await checkHealth(registry, ping)).toEqual(['dead']);
    expect(factory.count('create')).toBe(2);
    expect(registry.snapshot().connections.filter(({ state }) => state === 'idle').map(({ id }) => id)).toEqual(['well']);
    await registry.close();
  });

  test('leak-warnings: a lease that is never released shows, one that is does not', async () => {
    const clock = new ManualClock();
    const registry = new ConnectionRegistry({
      clock,
      store: new MemoryStore([{ id: 'a' }, { id: 'b' }]),
      factory: { create: () => ({}) },
    });
    await registry.acquire('a');
    await registry.use('b', () => {});
    await clock.advance(300_000);
    expect(suspectedLeaks(registry, { longerThanMs: 60_000 })).toEqual([{ id: 'a', leases: 1, leasedForMs: 300_000 }]);
    const closed = registry.close({ drainTimeoutMs: 0 });
    await clock.advance(0);
    expect(await closed).toEqual({ abandoned: [{ id: 'a', leases: 1 }] });
  });

  test('secret-rotation: touch reaches every replica, invalidate this one', async () => {
    let vault = 'old';
    const rows = new MemoryStore([{ id: 'a', ref: 'vault:a' }]);
    const store = Object.assign(rows, { touch: async (id: string) => rows.put(await rows.get(id) as never) });
    const replica = (): ConnectionRegistry<any, string> =>
      new ConnectionRegistry<any, string>({
        store,
        factory: { secrets: async () => vault, create: (_record, { secrets }) => String(secrets) },
      });
    const [one, two] = [replica(), replica()];
    const seen = (): Promise<string[]> => Promise.all([one, two].map((registry) => registry.use('a', (secret) => secret)));
    expect(await seen()).toEqual(['old', 'old']);
    vault = 'new';
    expect(await seen()).toEqual(['old', 'old']);
    rotateHere(one, 'a');
    expect(await seen()).toEqual(['new', 'old']);
    await rotateEverywhere(store, 'a');
    expect(await seen()).toEqual(['new', 'new']);
    await Promise.all([one.close(), two.close()]);
  });

  test('async-context: a hydrate runs in the context of its connection, whichever caller came first', async () => {
    const created: unknown[] = [];
    const registry = new ConnectionRegistry({
      store: new MemoryStore([{ id: 'a', organisation: 'acme' }]), around,
      factory: { async create() { await Promise.resolve(); created.push(organisation.getStore()); return {}; } },
    });
    await organisation.run('somebody else', () => registry.use('a', () => { created.push(organisation.getStore()); }));
    expect(created[0]).toBe('acme');
    await registry.close();
  });
});
