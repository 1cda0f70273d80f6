import { describe, expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore, isConnectionError } from 'hydrant';
import { ManualClock } from 'hydrant/testing';

describe('MemoryStore', () => {
  test('initial rows are active unless they have a status, and have a version', async () => {
    const store = new MemoryStore([{ id: 'a', token: 't' }, { id: 'b', token: 'u', status: 'stopped' }]);
    expect(await store.get('a')).toEqual({ id: 'a', token: 't', status: 'active', version: '1' });
    expect(await store.get('b')).toEqual({ id: 'b', token: 'u', status: 'stopped', version: '2' });
    expect(await store.get('c')).toBeUndefined();
  });

  test('every put makes a version that was never used before, not even by deleted rows', async () => {
    const store = new MemoryStore<{ id: string; token: string }>();
    const versions = new Set<unknown>();
    for (let round = 0; round < 50; round += 1) {
      for (const id of ['a', 'b']) versions.add((await store.put({ id, token: 'same' })).version);
      await store.delete('a');
    }
    expect(versions.size).toBe(100);
  });

  test('put replaces the whole row: omitted fields are gone, the status too', async () => {
    const store = new MemoryStore<{ id: string; token?: string; status?: 'active' | 'stopped' }>([
      { id: 'a', token: 't', status: 'stopped' },
    ]);
    expect(await store.put({ id: 'a' })).toEqual({ id: 'a', status: 'active', version: '2' });
  });

  test('touch gives an unchanged row a new version', async () => {
    const store = new MemoryStore([{ id: 'a', token: 't' }]);
    expect(await store.touch('a')).toBe(true);
    expect(await store.get('a')).toMatchObject({ id: 'a', token: 't', status: 'active', version: '2' });
    expect({ touched: await store.touch('b'), row: await store.get('b') }).toEqual({ touched: false, row: undefined });
  });

  test('list returns every row, as a copy', async () => {
    const store = new MemoryStore([{ id: 'a' }, { id: 'b' }]);
    const listed = await store.list();
    await store.delete('a');
    expect(listed.map(({ id }) => id)).toEqual(['a', 'b']);
    expect((await store.list()).map(({ id }) => id)).toEqual(['b']);
    await store.delete('a');
    await store.delete('never was');
  });

  test('rows cannot be changed from outside', async () => {
    const given = { id: 'a', token: 't' };
    const store = new MemoryStore([given]);
    given.token = 'changed';
    const row = await store.get('a') as { token: string };
    expect(row.token).toBe('t');
    expect(() => { row.token = 'changed'; }).toThrow(TypeError);
  });

  test('a version passed to put is ignored, because the store makes versions', async () => {
    const store = new MemoryStore<{ id: string }>([{ id: 'a', version: 'mine' } as { id: string }]);
    expect((await store.get('a'))?.version).toBe('1');
  });

  test.each([
    { id: '', type: 'string' },
    { id: undefined, type: 'undefined' },
    { id: 5, type: 'number' },
    { id: {}, type: 'object' },
  ])('an invalid id ($id) is refused and changes nothing', async ({ id, type }) => {
    const store = new MemoryStore<{ id: string }>([{ id: 'a' }]);
    const error: unknown = await store.put({ id: id as string }).catch((thrown: unknown) => thrown);
    expect(isConnectionError(error, 'INVALID_CONNECTION_ID') && error.message).toBe(
      `MemoryStore: expected a record with a non-empty string as its id, got ${type}`,
    );
    expect(() => new MemoryStore([{ id: id as string }])).toThrow('non-empty string');
    expect(await store.list()).toHaveLength(1);
  });

  test.each(['__proto__', 'constructor', 'a/b', '日本'])('%s is a valid id', async (id) => {
    const store = new MemoryStore<{ id: string }>();
    expect(await store.get(id)).toBeUndefined();
    await store.put({ id });
    expect((await store.get(id))?.id).toBe(id);
  });

  test('a registry sees its edits, stops, deletes and new rows', async () => {
    const store = new MemoryStore<{ id: string; token: string; status?: 'active' | 'stopped' }>([{ id: 'a', token: 'one' }]);
    const registry = new ConnectionRegistry({
      store,
      clock: new ManualClock(),
      notFoundTtlMs: 0,
      factory: { create: ({ token }) => token },
    });
    const use = (): Promise<string> => registry.use('a', (token) => token).catch((error: { code: string }) => error.code);
    expect(await use()).toBe('one');
    await store.put({ id: 'a', token: 'two' });
    expect(await use()).toBe('two');
    await store.put({ id: 'a', token: 'two', status: 'stopped' });
    expect(await use()).toBe('CONNECTION_STOPPED');
    await store.delete('a');
    expect(await use()).toBe('CONNECTION_NOT_FOUND');
    await store.put({ id: 'a', token: 'two' });
    expect(await use()).toBe('two');
  });
});
