import { isConnectionError } from 'hydrant';
import { RedisStore, type IoredisClient, type IoredisSubscriber, type RedisStoreOptions } from 'hydrant/redis';
import { ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';

/** Redis as a listener sees it: numbered changes, and pings that are told the last number. */
class FakeRedis implements IoredisClient {
  number = 0;
  subscribers: FakeSubscriber[] = [];

  async hmget(): Promise<null[]> {
    return [];
  }

  async eval(_script: string, numberOfKeys: number, ...args: string[]): Promise<unknown> {
    const channel = args[numberOfKeys] as string;
    this.tell(channel, String(this.number));
    return 1;
  }

  duplicate(): FakeSubscriber {
    const subscriber = new FakeSubscriber();
    this.subscribers.push(subscriber);
    return subscriber;
  }

  change(id: string, heard = true): void {
    this.number += 1;
    if (heard) this.tell('{hydrant}:changes', `${this.number} ${id}`);
  }

  tell(channel: string, message: string): void {
    for (const subscriber of this.subscribers) if (subscriber.channels.includes(channel)) subscriber.emit('message', channel, message);
  }
}

class FakeSubscriber implements IoredisSubscriber {
  channels: string[] = [];
  readonly #listeners: [string, (...values: never[]) => void][] = [];

  async subscribe(...channels: string[]): Promise<void> {
    this.channels = channels;
  }

  on(event: string, listener: (...values: never[]) => void): void {
    this.#listeners.push([event, listener]);
  }

  emit(event: string, ...values: unknown[]): void {
    for (const [name, listener] of this.#listeners) if (name === event) listener(...values as never[]);
  }

  disconnect(): void {
    this.channels = [];
  }
}

let clock: ManualClock;
let redis: FakeRedis;
let heard: (string | readonly string[])[];
beforeEach(() => {
  clock = new ManualClock();
  redis = new FakeRedis();
  heard = [];
});

async function watching(): Promise<AsyncDisposable> {
  const store = new RedisStore({ client: redis, clock, watch: { pingIntervalMs: 10_000 } });
  const subscription = await store.watch?.({ gap: () => void heard.push('gap'), changed: (ids) => void heard.push(ids) });
  if (subscription === undefined) throw new Error('there is no watch');
  return subscription;
}

describe('RedisStore.watch', () => {
  test('begins with a gap, whatever number the changes have reached', async () => {
    redis.number = 41;
    await watching();
    redis.change('a');
    redis.change('id with spaces ');
    expect(heard).toEqual(['gap', ['a'], ['id with spaces ']]);
  });

  test('a hint that was missed is a gap at the next hint', async () => {
    await watching();
    redis.change('a');
    redis.change('lost', false);
    redis.change('b');
    redis.change('c');
    expect(heard).toEqual(['gap', ['a'], 'gap', ['b'], ['c']]);
  });

  test('a hint that was missed is a gap at the next ping, if no other comes', async () => {
    await watching();
    redis.change('a');
    redis.change('lost', false);
    await clock.advance(9_999);
    expect(heard).toEqual(['gap', ['a']]);
    await clock.advance(1);
    expect(heard).toEqual(['gap', ['a'], 'gap']);
    await clock.advance(100_000);
    expect(heard).toHaveLength(3);
  });

  test('a Redis that lost its data is a gap', async () => {
    redis.number = 41;
    await watching();
    redis.number = 0;
    await clock.advance(10_000);
    expect(heard).toEqual(['gap', 'gap']);
  });

  test.each(['error', 'close'])('subscribes again, with a gap, after its connection reports %s', async (event) => {
    await watching();
    redis.subscribers[0]?.emit(event, new Error('reset'));
    await clock.advance(100);
    expect(redis.subscribers).toHaveLength(2);
    expect(heard).toEqual(['gap', 'gap']);
    redis.change('a');
    expect(heard).toEqual(['gap', 'gap', ['a']]);
  });

  test('disposed of, it lets go of everything', async () => {
    const subscription = await watching();
    await subscription[Symbol.asyncDispose]();
    expect(redis.subscribers[0]?.channels).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('RedisStore options', () => {
  test.each<[string, unknown]>([
    ['options', undefined],
    ['options', null],
    ['client', { client: null }],
    ['watch', { client: new FakeRedis(), watch: null }],
    ['client', {}],
    ['client', { client: {} }],
    ['client', { client: { hmget() {} } }],
    ['prefix', { client: new FakeRedis(), prefix: 1 }],
    ['watch', { client: new FakeRedis(), watch: true }],
    ['watch.backoff', { client: new FakeRedis(), watch: { backoff: null } }],
    ['watch.pingIntervalMs', { client: new FakeRedis(), watch: { pingIntervalMs: Number.POSITIVE_INFINITY } }],
    ['watch.timeoutMs', { client: new FakeRedis(), watch: { timeoutMs: '1s' } }],
    ['watch.backoff.initialMs', { client: new FakeRedis(), watch: { backoff: { initialMs: -1, maxMs: 1 } } }],
  ])('refuses a wrong %s, says what was expected and what came', (option, options) => {
    expect(() => new RedisStore(options as RedisStoreOptions)).toThrow(expect.toSatisfy(
      (error) => isConnectionError(error, 'INVALID_OPTIONS') && error.message.includes(`option ${option}: `) && /expected .+, got .+/.test(error.message),
    ));
  });
});
