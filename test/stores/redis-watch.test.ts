import { isConnectionError } from 'hydrant';
import { RedisStore, type RedisStoreOptions } from 'hydrant/redis';
import { ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { CLIENTS } from './support/fake-redis-clients.js';
import { FakeRedis } from './support/fake-redis.js';

const COUNTER = '{hydrant}:counter';

let clock: ManualClock;
let redis: FakeRedis;
let heard: (string | readonly string[])[];
beforeEach(() => {
  clock = new ManualClock();
  redis = new FakeRedis();
  heard = [];
});

const store = (kind: keyof typeof CLIENTS = 'ioredis', options: Partial<RedisStoreOptions> = {}): RedisStore<{ n?: number }> =>
  new RedisStore({ client: CLIENTS[kind](redis), clock, watch: { pingIntervalMs: 10_000 }, ...options });

async function watching(kind?: keyof typeof CLIENTS, options?: Partial<RedisStoreOptions>): Promise<AsyncDisposable> {
  const listener = { gap: () => void heard.push('gap'), changed: (ids: readonly string[]) => void heard.push(ids) };
  const subscription = await store(kind, options).watch?.(listener);
  if (subscription === undefined) throw new Error('there is no watch');
  return subscription;
}

/** A hint that reaches nobody. */
async function lost(id: string): Promise<void> {
  const { publish } = redis;
  redis.publish = () => {};
  await store().put({ id });
  redis.publish = publish;
}

/** Sends text on the channel on which everybody listens. */
function send(message: unknown): void {
  for (const subscriber of redis.subscribers) subscriber.hear(subscriber.channels[0]!, message);
}

describe('RedisStore.watch', () => {
  test('begins with a gap, whatever the counter of changes', async () => {
    redis.counters.set(COUNTER, 41);
    await watching();
    await store().put({ id: 'a' });
    await store().put({ id: 'id with "spaces" ' });
    expect(heard).toEqual(['gap', ['a'], ['id with "spaces" ']]);
  });

  test('a hint that was missed is a gap at the next hint', async () => {
    await watching();
    await store().put({ id: 'a' });
    await lost('lost');
    await store().put({ id: 'b' });
    await store().put({ id: 'c' });
    expect(heard).toEqual(['gap', ['a'], 'gap', ['b'], ['c']]);
  });

  test('a hint that was missed is a gap at the next ping, if no other comes', async () => {
    await watching();
    await store().put({ id: 'a' });
    await lost('lost');
    await clock.advance(9_999);
    expect(heard).toEqual(['gap', ['a']]);
    await clock.advance(1);
    expect(heard).toEqual(['gap', ['a'], 'gap']);
    await clock.advance(100_000);
    expect(heard).toHaveLength(3);
  });

  test('a counter that was set back is a gap', async () => {
    redis.counters.set(COUNTER, 41);
    await watching();
    redis.counters.set(COUNTER, 0);
    await clock.advance(10_000);
    expect(heard).toEqual(['gap', 'gap']);
  });

  test('listens to a Redis that lost its data on the channel of its new scope', async () => {
    const errors: unknown[] = [];
    await watching('ioredis', { onWatchError: (error) => errors.push(error) });
    redis.counters.clear();
    redis.scopes.clear();
    await store().put({ id: 'unheard' });
    await clock.advance(10_100);
    expect(errors).toHaveLength(1);
    expect(heard).toEqual(['gap', 'gap']);
    await store().put({ id: 'a' });
    expect(heard).toEqual(['gap', 'gap', ['a']]);
    expect(redis.connections.size).toBe(1);
  });

  test.each(['error', 'close'])('subscribes again, with a gap, after its connection reports %s', async (event) => {
    await watching();
    redis.subscribers[0]?.emit(event, new Error('reset'));
    await clock.advance(100);
    expect(redis.connections.size).toBe(1);
    expect(heard).toEqual(['gap', 'gap']);
    await store().put({ id: 'a' });
    expect(heard).toEqual(['gap', 'gap', ['a']]);
  });

  test('releases everything on dispose', async () => {
    const subscription = await watching();
    await subscription[Symbol.asyncDispose]();
    expect(redis.connections.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each<{ what: string; message: unknown }>([
    { what: 'no JSON', message: '{' },
    { what: 'nothing', message: '' },
    { what: 'no text', message: 7 },
    { what: 'a Buffer', message: Buffer.from('["1","a"]') },
    { what: 'no list', message: '{"0":"1"}' },
    { what: 'null', message: 'null' },
    { what: 'an empty list', message: '[]' },
    { what: 'no number', message: '["x","a"]' },
    { what: 'a number that is no text', message: '[1,"a"]' },
    { what: 'a number below 0', message: '["-1","a"]' },
    { what: 'a number that no counter reaches', message: '["99999999999999999999","a"]' },
    { what: 'an id that is no text', message: '["1",{}]' },
    { what: 'an empty id', message: '["1",""]' },
    { what: 'a lone surrogate', message: '["1","\\ud800"]' },
    { what: 'NUL', message: '["1","\\u0000"]' },
    { what: 'an id of a megabyte', message: JSON.stringify(['1', 'x'.repeat(1_000_000)]) },
    { what: 'two megabytes', message: `["1","a"${' '.repeat(2_000_000)}]` },
    { what: 'the form of 0.1.0', message: '1 a' },
  ])('a hint with $what is a gap, and changes nothing else', async ({ message }) => {
    for (const kind of ['ioredis', 'node-redis'] as const) {
      heard = [];
      const subscription = await watching(kind);
      await store().put({ id: 'a', n: Math.random() });
      send(message);
      await store().put({ id: 'b', n: Math.random() });
      expect(heard).toEqual(['gap', ['a'], 'gap', ['b']]);
      await subscription[Symbol.asyncDispose]();
    }
  });

  test('survives a listener and an error handler that throw', async () => {
    const errors: unknown[] = [];
    const broken = new Error('broken');
    await store('ioredis', { onWatchError: (error) => { errors.push(error); throw error; } }).watch?.({
      gap() { throw broken; },
      changed(ids) { heard.push(ids); throw broken; },
    });
    await store().put({ id: 'a' });
    await store().put({ id: 'b' });
    expect(heard).toEqual([['a'], ['b']]);
    expect(errors).toEqual([broken, broken, broken]);
    redis.subscribers[0]?.emit('close');
    await clock.advance(100);
    await store().put({ id: 'c' });
    expect(heard).toEqual([['a'], ['b'], ['c']]);
  });
});

describe('RedisStore options', () => {
  test.each<{ option: string; options: unknown }>([
    { option: 'options', options: undefined },
    { option: 'options', options: null },
    { option: 'client', options: { client: null } },
    { option: 'watch', options: { client: CLIENTS.ioredis(new FakeRedis()), watch: null } },
    { option: 'client', options: {} },
    { option: 'client', options: { client: {} } },
    { option: 'client', options: { client: { hmget() {} } } },
    { option: 'prefix', options: { client: CLIENTS.ioredis(new FakeRedis()), prefix: 1 } },
    { option: 'watch', options: { client: CLIENTS.ioredis(new FakeRedis()), watch: true } },
    { option: 'watch.backoff', options: { client: CLIENTS.ioredis(new FakeRedis()), watch: { backoff: null } } },
    {
      option: 'watch.pingIntervalMs',
      options: { client: CLIENTS.ioredis(new FakeRedis()), watch: { pingIntervalMs: Number.POSITIVE_INFINITY } },
    },
    { option: 'watch.timeoutMs', options: { client: CLIENTS.ioredis(new FakeRedis()), watch: { timeoutMs: '1s' } } },
    {
      option: 'watch.backoff.initialMs',
      options: { client: CLIENTS.ioredis(new FakeRedis()), watch: { backoff: { initialMs: -1, maxMs: 1 } } },
    },
  ])('refuses a wrong $option, and the error has the expected and the given value', ({ option, options }) => {
    expect(() => new RedisStore(options as RedisStoreOptions)).toThrow(
      expect.toSatisfy(
        (error) =>
          isConnectionError(error, 'INVALID_OPTIONS')
          && error.message.startsWith(`RedisStore: ${option}: `)
          && /expected .+, got .+/.test(error.message),
      ),
    );
  });
});
