import { createMemoryState } from '@chat-adapter/state-memory';
import type { Lock, StateAdapter } from 'chat';
import { isConnectionError } from 'hydrant';
import { chatFactory, PrefixedState } from 'hydrant/chat';
import { beforeEach, describe, expect, expectTypeOf, test } from 'vitest';

const entry = { message: 'm', enqueuedAt: 0, expiresAt: Number.MAX_SAFE_INTEGER } as unknown as Parameters<
  StateAdapter['enqueue']
>[1];

describe('prefixed state', () => {
  const shared = createMemoryState();
  let a: StateAdapter;
  let b: StateAdapter;
  let serial = 0;
  beforeEach(async () => {
    serial += 1;
    a = new PrefixedState(shared, `a${serial}`);
    b = new PrefixedState(shared, `b${serial}`);
    await a.connect();
    await b.connect();
  });

  test('covers every method of the state contract', () => {
    expectTypeOf<PrefixedState>().toExtend<StateAdapter>();
    const verbs =
      'acquire|append|connect|delete|dequeue|disconnect|enqueue|extend|force|get$|getList|is|queue|release|set|'
      + 'subscribe|unsubscribe';
    const isInContract = (name: string): boolean => new RegExp(`^(${verbs})`).test(name);
    const contract = Object.getOwnPropertyNames(Object.getPrototypeOf(shared)).filter(isInContract);
    expect(contract.length).toBeGreaterThanOrEqual(18);
    expect(contract.filter((name) => !(name in PrefixedState.prototype))).toEqual([]);
  });

  /** Writes through one connection and reads through another. */
  const pairs: Record<
    string,
    {
      write: (state: StateAdapter) => Promise<unknown>;
      read: (state: StateAdapter) => Promise<unknown>;
      own: unknown;
      foreign: unknown;
    }
  > = {
    'set and get': { write: (state) => state.set('k', 1), read: (state) => state.get('k'), own: 1, foreign: null },
    setIfNotExists: {
      write: (state) => state.setIfNotExists('k', 1),
      read: (state) => state.setIfNotExists('k', 2),
      own: false,
      foreign: true,
    },
    'subscribe and isSubscribed': {
      write: (state) => state.subscribe('t'),
      read: (state) => state.isSubscribed('t'),
      own: true,
      foreign: false,
    },
    'appendToList and getList': {
      write: (state) => state.appendToList('l', 1, { maxLength: 3 }),
      read: (state) => state.getList('l'),
      own: [1],
      foreign: [],
    },
    'enqueue and queueDepth': {
      write: (state) => state.enqueue('t', entry, 5),
      read: (state) => state.queueDepth('t'),
      own: 1,
      foreign: 0,
    },
    'enqueue and dequeue': {
      write: (state) => state.enqueue('t', entry, 5),
      read: async (state) => (await state.dequeue('t')) !== null,
      own: true,
      foreign: false,
    },
    acquireLock: {
      write: (state) => state.acquireLock('t', 60_000),
      read: async (state) => (await state.acquireLock('t', 60_000)) !== null,
      own: false,
      foreign: true,
    },
  };
  test.each(Object.entries(pairs))('keeps connections apart: %s', async (_name, { write, read, own, foreign }) => {
    await write(a);
    expect({ own: await read(a), foreign: await read(b) }).toEqual({ own, foreign });
  });

  const endings: Record<
    string,
    {
      begin: (state: StateAdapter) => Promise<unknown>;
      end: (state: StateAdapter) => Promise<unknown>;
      still: (state: StateAdapter) => Promise<boolean>;
    }
  > = {
    delete: {
      begin: (state) => state.set('k', 1),
      end: (state) => state.delete('k'),
      still: async (state) => (await state.get('k')) !== null,
    },
    unsubscribe: {
      begin: (state) => state.subscribe('t'),
      end: (state) => state.unsubscribe('t'),
      still: (state) => state.isSubscribed('t'),
    },
    forceReleaseLock: {
      begin: (state) => state.acquireLock('t', 60_000),
      end: (state) => state.forceReleaseLock('t'),
      still: async (state) => (await state.acquireLock('t', 60_000)) === null,
    },
  };
  test.each(Object.entries(endings))('deletes only its own state: %s', async (_name, { begin, end, still }) => {
    await begin(a);
    await begin(b);
    await end(a);
    expect({ own: await still(a), foreign: await still(b) }).toEqual({ own: false, foreign: true });
  });

  test('a lock has the requested name, and is extended and released by it', async () => {
    const lock = await a.acquireLock('t', 60_000) as Lock;
    expect(lock.threadId).toBe('t');
    expect({ own: await a.extendLock(lock, 60_000), foreign: await b.extendLock(lock, 60_000) }).toEqual({
      own: true,
      foreign: false,
    });
    await b.releaseLock(lock);
    expect(await a.acquireLock('t', 60_000)).toBeNull();
    await a.releaseLock(lock);
    expect(await a.acquireLock('t', 60_000)).not.toBeNull();
  });

  test('ids that contain the separator stay apart', async () => {
    const [one, other] = [new PrefixedState(shared, 'x'), new PrefixedState(shared, 'x:y')];
    await one.set('y:z', 'of x');
    expect(await other.get('z')).toBeNull();
  });

  test('disconnect leaves the shared state to the others', async () => {
    await a.disconnect();
    await b.set('k', 1);
    expect(await b.get('k')).toBe(1);
  });

  test('a state that lacks a method is refused when the factory is made', () => {
    const { dequeue: _gone, getList: _goneToo, ...bound } = Object.fromEntries(
      Object.getOwnPropertyNames(PrefixedState.prototype).map((name) => [name, () => {}]),
    );
    const make = (state: unknown) => () => chatFactory({ state: state as StateAdapter, adapters: () => ({}) });
    for (const state of [bound, undefined, null]) {
      expect(make(state)).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringContaining('state: expected') as string }),
      );
    }
    expect(() => make(bound)()).toThrow(/without dequeue, getList$/);
    try { make(bound)(); } catch (error) { expect(isConnectionError(error, 'INVALID_OPTIONS')).toBe(true); }
  });

  test('a state that is a module, and so has no constructor, is accepted', () => {
    const methods = Object.getOwnPropertyNames(PrefixedState.prototype).filter((name) => name !== 'constructor');
    const state = Object.assign(Object.create(null), Object.fromEntries(methods.map((name) => [name, () => {}]))) as StateAdapter;
    expect(() => chatFactory({ state, adapters: () => ({}) })).not.toThrow();
  });
});
