import { ConnectionRegistry } from 'hydrant';
import { ManualClock, RecordingFactory, ScriptedStore } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';

let clock: ManualClock;
let store: ScriptedStore<{ id: string; n?: number }>;
let factory: RecordingFactory;
beforeEach(() => {
  clock = new ManualClock();
  store = new ScriptedStore({ clock, records: [{ id: 'acme' }, { id: 'other' }] });
  factory = new RecordingFactory({ clock });
});

describe('RecordingFactory', () => {
  test('records creates and disposes in order, with versions and reasons', async () => {
    const registry = new ConnectionRegistry({ store, factory, clock });
    await registry.use('acme', (instance) =>
      expect(instance).toMatchObject({ serial: 1, disposals: 0, record: { id: 'acme', version: '1' } }),
    );
    await store.put({ id: 'acme', n: 1 });
    await registry.use('acme', () => {});
    await registry.close();
    expect(factory.history.slice(0, 2)).toEqual(['create acme 1', 'created acme 1']);
    expect(factory.history.toSorted()).toEqual([
      'create acme 1',
      'create acme 3',
      'created acme 1',
      'created acme 3',
      'dispose acme 1 replaced',
      'dispose acme 3 closing',
      'disposed acme 1 replaced',
      'disposed acme 3 closing',
    ]);
    expect(factory.live).toEqual([]);
    expect(factory.count('created', 'acme')).toBe(2);
    expect(factory.count('created', 'other')).toBe(0);
  });

  test('is slow, fails and hangs on demand', async () => {
    const registry = new ConnectionRegistry({
      store,
      factory,
      clock,
      failureBackoff: { initialMs: 0, maxMs: 0 },
      acquireTimeoutMs: 60_000,
    });
    registry.on('hydrationFailed', () => {});
    factory.behaveOnCreate((_record, serial) => [{ fail: new Error('refused') }, { delayMs: 250 }, { hang: true }][serial - 1]);
    await expect(registry.use('acme', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    let done = false;
    const second = registry.use('acme', () => { done = true; });
    await clock.advance(249);
    expect(done).toBe(false);
    await clock.advance(1);
    await second;
    const third = expect(registry.use('other', () => {})).rejects.toMatchObject({ code: 'HYDRATION_TIMEOUT' });
    await clock.advance(30_000);
    await third;
    expect(factory.history).toEqual(['create acme 1', 'failed acme 1', 'create acme 1', 'created acme 1', 'create other 2']);
    const closed = registry.close();
    await clock.advance(60_000);
    await closed;
  });

  test('fails and delays disposes on demand, and counts them', async () => {
    const registry = new ConnectionRegistry({ store, factory, clock });
    await registry.use('acme', () => {});
    await registry.use('other', () => {});
    factory.behaveOnDispose((record) => (record.id === 'acme' ? { fail: new Error('no') } : { delayMs: 100 }));
    const errors: unknown[] = [];
    registry.on('disposeFailed', ({ error }) => errors.push(error));
    const [first] = factory.live;
    const closing = registry.close();
    await clock.advance(99);
    expect(factory.live).toHaveLength(2);
    await clock.advance(1);
    await closing;
    expect(factory.live).toEqual([first]);
    expect(first?.disposals).toBe(1);
    expect(errors).toHaveLength(1);
  });

  test('passes on the context, so that an instance can retire itself', async () => {
    await using registry = new ConnectionRegistry({ store, factory, clock });
    await registry.use('acme', () => {});
    factory.live[0]?.context.retire('revoked');
    await clock.advance(0);
    expect(factory.events.at(-1)).toMatchObject({ kind: 'disposed', reason: 'retired' });
  });

  test('acts in the same turn if there is nothing to wait for', () => {
    void factory.create({ id: 'acme', version: '1', status: 'active' }, {} as never);
    expect(factory.history).toEqual(['create acme 1', 'created acme 1']);
  });

  test('keeps the process alive while it is slow', () => {
    factory.behaveOnCreate({ delayMs: 100 });
    void factory.create({ id: 'acme', version: '1', status: 'active' }, {} as never);
    expect(clock.pendingRefTimers).toBe(1);
  });

  test('is slow, or fails, every time after one call', async () => {
    const registry = new ConnectionRegistry({ store, factory, clock, failureBackoff: { initialMs: 0, maxMs: 0 } });
    registry.on('hydrationFailed', () => {});
    registry.on('disposeFailed', () => {});
    const refused = new Error('refused');
    factory.behaveOnCreate({ fail: refused });
    for (const id of ['acme', 'other']) await expect(registry.use(id, () => {})).rejects.toMatchObject({ cause: refused });
    factory.behaveOnCreate({ delayMs: 100 });
    const use = registry.use('acme', () => {});
    await clock.advance(99);
    expect(factory.count('created')).toBe(0);
    await clock.advance(1);
    await use;
    factory.behaveOnDispose({ fail: refused });
    await registry.close();
    expect(factory.events.slice(-2)).toEqual([
      { kind: 'dispose', id: 'acme', version: '1', serial: 3, reason: 'closing' },
      { kind: 'disposeFailed', id: 'acme', version: '1', serial: 3, reason: 'closing', cause: refused },
    ]);
    expect({
      creates: factory.count('create'),
      failures: factory.count('failed'),
      createsOfOther: factory.count('create', 'other'),
    }).toEqual({
      creates: 3,
      failures: 2,
      createsOfOther: 1,
    });
  });

  test('records why an instance was reported dead', async () => {
    await using registry = new ConnectionRegistry({ store, factory, clock });
    const revoked = new Error('revoked');
    await registry.use('acme', (_instance, lease) => lease.retire(revoked));
    await clock.advance(0);
    expect(factory.events.find(({ kind }) => kind === 'dispose')).toStrictEqual({
      kind: 'dispose',
      id: 'acme',
      version: '1',
      serial: 1,
      reason: 'retired',
      cause: revoked,
    });
    await registry.use('other', () => {});
    registry.invalidate('other');
    await clock.advance(0);
    expect(factory.events.at(-2)).toStrictEqual({ kind: 'dispose', id: 'other', version: '2', serial: 2, reason: 'invalidated' });
  });
});
