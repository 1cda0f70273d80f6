import { isConnectionError } from 'hydrant';
import { RedisStore, type RedisStoreOptions } from 'hydrant/redis';
import { ManualClock, storeConformance } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { CLIENTS } from './support/fake-redis-clients.js';
import { FakeRedis } from './support/fake-redis.js';
import { REFUSED_DRAFTS } from './support/refused-drafts.js';
import { UNREADABLE_ROWS } from './support/unreadable-rows.js';

let server: FakeRedis;
beforeEach(() => { server = new FakeRedis(); });

describe.each(Object.entries(CLIENTS))('RedisStore on a client like %s', (_kind, clientOf) => {
  storeConformance({ describe, it: test }, () => {
    const store = new RedisStore<{ config: { value: string } }>({ client: clientOf(server) });
    return {
      store,
      write: (id, { status, config }) => store.put({ id, status, config: { value: config } }),
      remove: (id) => store.delete(id),
      configOf: (record) => (record as unknown as { config: { value: string } }).config.value,
      async writeInvalid(id) {
        server.hash('{hydrant}:versions').set(id, '0-invalid');
        server.hash('{hydrant}:records').set(id, '0-invalid {"status":"active","token":"secret');
      },
      // Writing what is there already.
      bookkeep: async (id) => { await store.put(await store.get(id) as never); },
      touch: (id) => store.touch(id),
    };
  }, { getMany: true, getVersions: true, watch: true, invalidRows: true, bookkeeping: true, touch: true, counter: true });
});

describe('RedisStore', () => {
  interface Row { readonly token?: string; readonly list?: readonly number[] }
  const store = (options: Partial<RedisStoreOptions> = {}) =>
    new RedisStore<Row>({ client: CLIENTS.ioredis(server), ...options });
  const keysSent = () => server.sent.map(({ keys }) => keys);

  test('keeps every field as it was, and accepts its own records', async () => {
    const record = { id: 'acme', token: '"\\\n\0🙂', list: [1, 2.5] };
    const written = await store().put(record);
    expect(written).toEqual({ ...record, status: 'active', version: expect.stringMatching(/^1-[0-9a-f]{12}$/) as string });
    expect(await store().get('acme')).toEqual(written);
    expect(await store().put(written)).toEqual(written);
    expect((await store().put({ ...written, status: 'stopped' })).version).toMatch(/^2-/);
  });

  test('uses the same keys and channel on every replica with the same prefix', async () => {
    const told: string[] = [];
    server.publish = (channel) => { told.push(channel); };
    for (const { prefix, options } of [
      { prefix: '{hydrant}:', options: {} },
      { prefix: '{my}', options: { prefix: '{my}' } },
    ] as const) {
      server.sent.length = told.length = 0;
      await store(options).put({ id: 'acme' });
      await store(options).get('acme');
      await store(options).getVersions(['acme']);
      const written = [`${prefix}records`, `${prefix}versions`, `${prefix}counter`, `${prefix}scope`];
      expect(keysSent()).toEqual([written, [`${prefix}records`], [`${prefix}versions`]]);
      expect(told).toEqual([`${prefix}changes:${server.scopes.get(`${prefix}scope`)}`]);
    }
  });

  test('reads many with one command, and sends none if no id can exist or no caller waits', async () => {
    await store().put({ id: 'a' });
    server.sent.length = 0;
    expect([...(await store().getMany(['a', 'b', '', '\ud800', 'c'])).keys()]).toEqual(['a']);
    expect(server.sent.map(({ args }) => args)).toEqual([['a', 'b', 'c']]);
    await store().getMany([]);
    expect(await store().get('\udc00x')).toBeUndefined();
    expect(await store().touch('')).toBe(false);
    await store().delete(7 as never);
    await expect(store().get('a', { signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    expect(server.sent).toHaveLength(1);
    for (const options of [{ signal: new AbortController().signal }, {}]) expect(await store().get('a', options)).toBeDefined();
  });

  test('versions do not repeat even when Redis has lost everything', async () => {
    const seen = new Set<string>();
    for (let n = 0; n < 5; n += 1) {
      seen.add((await store().put({ id: 'acme', token: 'the same' })).version);
      server.hashes.clear();
      server.counters.clear();
    }
    expect(seen.size).toBe(5);
  });

  test('lists more rows than one scan step returns, and leaves out entries that are no record', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await store().put({ id, token: id });
    server.hash('{hydrant}:records').set('c', 'x {');
    expect(await store().list()).toMatchObject(['a', 'b', 'd', 'e'].map((id) => ({ id, token: id })));
  });

  test('touch returns whether the row existed', async () => {
    await store().put({ id: 'acme' });
    expect({ acme: await store().touch('acme'), other: await store().touch('other') }).toEqual({ acme: true, other: false });
  });

  test('the version is the text before the first space', async () => {
    server.hash('{hydrant}:records').set('acme', '7 {"status":"stopped","token":"a b"}');
    expect(await store().get('acme')).toEqual({ id: 'acme', version: '7', status: 'stopped', token: 'a b' });
  });

  test.each(UNREADABLE_ROWS)('a row with $what is INVALID_RECORD', async ({ row }) => {
    server.hash('{hydrant}:records').set('bad', row);
    await expect(store().get('bad')).rejects.toSatisfy(
      (error) => isConnectionError(error, 'INVALID_RECORD') && !error.message.includes('secret') && error.connectionId === 'bad',
    );
  });

  test.each(REFUSED_DRAFTS)('refuses $what with a clear error and writes nothing', async ({ draft, code }) => {
    await expect(store().put(draft as never)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^RedisStore: .*expected \w+/) as string,
    });
    expect(server.sent).toEqual([]);
  });

  test('reports an error when the row that it reads back is no record', async () => {
    server.eval = () => 'x {';
    await expect(store().put({ id: 'acme' })).rejects.toMatchObject({ code: 'INVALID_RECORD', connectionId: 'acme' });
  });

  test('sends a ping that no other subscriber hears, and finds that nothing was missed', async () => {
    const clock = new ManualClock();
    const heard: unknown[] = [];
    const listener = { gap: () => void heard.push('gap'), changed: (ids: readonly string[]) => void heard.push(...ids) };
    await Promise.all([store({ clock }).watch?.(listener), store({ clock }).watch?.(listener)]);
    await store().put({ id: 'acme' });
    await clock.advance(15_000);
    expect(heard).toEqual(['gap', 'gap', 'acme', 'acme']);
    expect([...server.subscribers].map((subscriber) => subscriber.heard)).toEqual([3, 3]);
  });

  test.each(['error', 'reconnecting', 'node-error', 'node-reconnecting'])(
    'listens again when node-redis emits %s, and releases the old connection',
    async (sign) => {
      const clock = new ManualClock();
      const heard: unknown[] = [];
      const subscription = await store({ clock, client: CLIENTS['node-redis'](server) }).watch?.({
        gap: () => void heard.push('gap'),
        changed: () => {},
      });
      const [first] = server.subscribers;
      first?.emit(sign, new Error('reset'));
      await clock.advance(100);
      expect(heard).toEqual(['gap', 'gap']);
      expect({ open: server.connections.size, first: server.connections.has(first!) }).toEqual({ open: 1, first: false });
      await subscription?.[Symbol.asyncDispose]();
      expect(server.connections.size).toBe(0);
    },
  );

  test('has no watch on a pool, which cannot listen, nor if it is turned off', () => {
    const { hmGet, eval: evaluate } = CLIENTS['node-redis'](server);
    expect(store({ client: { hmGet, eval: evaluate } }).watch).toBeUndefined();
    expect(store({ watch: false }).watch).toBeUndefined();
    expect(store().watch).toBeTypeOf('function');
  });
});
