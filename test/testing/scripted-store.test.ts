import { ManualClock, ScriptedStore } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';

let clock: ManualClock;
let store: ScriptedStore<{ id: string; n: number }>;
beforeEach(() => {
  clock = new ManualClock();
  store = new ScriptedStore({ clock, records: [{ id: 'a', n: 1 }, { id: 'b', n: 1 }] });
});

/** The settled reads, in the order in which they settled. */
function settling(...reads: Promise<unknown>[]): { index: number; result: unknown }[] {
  const settled: { index: number; result: unknown }[] = [];
  reads.forEach(
    (read, index) =>
      void read.then(
        (result) => settled.push({ index, result }),
        (result: unknown) => settled.push({ index, result }),
      ),
  );
  return settled;
}

describe('ScriptedStore', () => {
  test('is empty unless it is told otherwise', async () => {
    expect(await new ScriptedStore().list()).toEqual([]);
  });

  test('answers out of order on demand, with the row as it was when the read was sent', async () => {
    store.behave(({ index }) => ({ delayMs: [300, 100][index] ?? 0 }));
    const reads = [store.get('a')];
    await store.put({ id: 'a', n: 2 });
    reads.push(store.get('a'));
    const settled = settling(...reads);
    await clock.advance(100);
    expect(settled).toMatchObject([{ index: 1, result: { n: 2 } }]);
    await clock.advance(200);
    expect(settled).toMatchObject([{ index: 1, result: { n: 2 } }, { index: 0, result: { n: 1 } }]);
  });

  test('answers on demand with the row as it is when it answers', async () => {
    store.behave({ delayMs: 100, sees: 'answered' });
    const settled = settling(store.get('a'));
    await store.put({ id: 'a', n: 2 });
    await clock.advance(100);
    expect(settled).toMatchObject([{ index: 0, result: { n: 2 } }]);
  });

  test('fails, hangs, waits, and recovers', async () => {
    let open: ((value: unknown) => void) | undefined;
    const until = new Promise((resolve) => { open = resolve; });
    store.behave(({ index }) => [{ fail: 'down' }, { hang: true }, { until }][index]);
    const settled = settling(store.get('a'), store.get('a'), store.get('a'), store.get('a'));
    await clock.advance(1_000_000);
    expect(settled.toSorted((one, other) => one.index - other.index)).toMatchObject([
      { index: 0, result: 'down' },
      { index: 3, result: { n: 1 } },
    ]);
    open?.(undefined);
    await clock.advance(0);
    expect(settled).toHaveLength(3);
    store.behave({});
    expect(await store.get('a')).toMatchObject({ n: 1 });
  });

  test('records every read: its ids, time and signal', async () => {
    const { signal } = new AbortController();
    await store.get('a', { signal });
    await clock.advance(50);
    await store.getVersions?.(['a', 'x']);
    await store.getMany?.(['b']);
    expect(store.reads).toEqual([
      { kind: 'get', ids: ['a'], index: 0, at: 0, signal },
      { kind: 'getVersions', ids: ['a', 'x'], index: 1, at: 50, signal: undefined },
      { kind: 'getMany', ids: ['b'], index: 2, at: 50, signal: undefined },
    ]);
  });

  test('is empty without records', async () => {
    expect(await new ScriptedStore().list()).toEqual([]);
  });

  test('has only the chosen members', () => {
    const bare = new ScriptedStore({ without: ['getMany', 'getVersions', 'watch'] });
    expect(bare).toMatchObject({ getMany: undefined, getVersions: undefined, watch: undefined });
  });

  test('notifies listeners of writes, loses hints on demand, and announces gaps', async () => {
    const heard: unknown[] = [];
    const subscription = await store.watch?.({ changed: (ids) => heard.push(ids), gap: () => heard.push('gap') });
    await store.put({ id: 'a', n: 2 });
    store.hints = false;
    await store.delete('a');
    store.gap();
    store.changed('x', 'y');
    expect(heard).toEqual(['gap', ['a'], 'gap', ['x', 'y']]);
    expect(store.listeners).toBe(1);
    await subscription?.[Symbol.asyncDispose]();
    expect(store.listeners).toBe(0);
  });

  test('also keeps rows that break the contract', async () => {
    store.corrupt('a', { nonsense: true });
    expect(await store.get('a')).toEqual({ nonsense: true });
    expect(await store.list()).toHaveLength(2);
  });
});
