import { RedisClaims, RedisStore } from 'hydrant/redis';
import { ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { fakeIoredis, fakeNodeRedis, type FakeClient } from './support/fake-redis-clients.js';
import { FakeRedis } from './support/fake-redis.js';

const unanswered = (ms: number): unknown => expect.objectContaining({
  code: 'STORE_UNAVAILABLE', message: `Redis did not answer within ${ms} ms`,
});

let server: FakeRedis;
let clock: ManualClock;
beforeEach(() => {
  server = new FakeRedis();
  clock = new ManualClock();
});

type EndableClient = FakeClient<ConstructorParameters<typeof RedisStore>[0]['client']> & { end(): void };
const KINDS: Record<string, (to: FakeRedis) => EndableClient> = {
  'ioredis': (to) => {
    const made = fakeIoredis(to);
    return { ...made, end: () => { made.client.status = 'end'; made.connection.emit('end'); } };
  },
  'node-redis': (to) => {
    const made = fakeNodeRedis(to);
    return { ...made, end: () => { made.client.isOpen = false; made.connection.emit('end'); } };
  },
};

/** Rejections are asserted later, so they must not count as unhandled. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

describe.each(Object.entries(KINDS))('a store on %s', (_kind, clientOf) => {
  test('uses the connection of the caller as long as it answers', async () => {
    const { client } = clientOf(server);
    const store = new RedisStore({ client, clock });
    await store.put({ id: 'a' });
    await clock.advance(60_000);
    expect(await store.get('a')).toBeDefined();
    expect(server.connections.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test('fails a command after five seconds, and sends the next one over a new connection', async () => {
    const { client, connection } = clientOf(server);
    const store = new RedisStore({ client, clock });
    await store.put({ id: 'a' });
    connection.silent = true;
    const first = handled(store.get('a'));
    await clock.advance(3_000);
    const second = handled(store.getVersions(['a']));
    await clock.advance(2_001);
    await expect(first).rejects.toEqual(unanswered(5_000));
    await expect(second, 'it cannot be answered either').rejects.toEqual(unanswered(5_000));
    expect(server.connections.size, 'connects when there is something to send').toBe(0);
    expect(await store.get('a')).toBeDefined();
    expect(await store.touch('a')).toBe(true);
    expect(server.connections.size).toBe(1);
  });

  test('replaces a new connection that goes silent too, and ends it', async () => {
    const { client, connection } = clientOf(server);
    const store = new RedisStore({ client, clock });
    connection.silent = true;
    for (let turn = 0; turn < 3; turn += 1) {
      const read = handled(store.get('a'));
      await clock.advance(5_001);
      await expect(read).rejects.toEqual(unanswered(5_000));
      expect(await store.get('a')).toBeUndefined();
      expect(server.connections.size).toBe(1);
      for (const own of server.connections) own.silent = true;
    }
  });

  test('keeps a connection that answers other commands', async () => {
    const { client, connection } = clientOf(server);
    const store = new RedisStore({ client, clock });
    connection.silent = true;
    const slow = handled(store.get('a'));
    await clock.advance(1_000);
    connection.silent = false;
    await store.get('b');
    await clock.advance(4_001);
    await expect(slow).rejects.toEqual(unanswered(5_000));
    await store.get('a');
    expect(server.connections.size).toBe(0);
  });

  test('accepts an answer that arrives at the deadline', async () => {
    const { client, connection } = clientOf(server);
    const store = new RedisStore({ client, clock });
    const answered = deferred<void>();
    connection.run = async (command) => { await answered.promise; return command(server); };
    const read = handled(store.get('a'));
    await clock.advance(5_000);
    answered.resolve();
    expect(await read).toBeUndefined();
    expect(server.connections.size).toBe(0);
  });

  test('judges a connection on which the driver fails commands by itself', async () => {
    const { client, connection } = clientOf(server);
    const store = new RedisStore({ client, clock });
    connection.run = () => Promise.reject(new Error('Command timed out'));
    await expect(store.get('a')).rejects.toThrow('Command timed out');
    await clock.advance(5_001);
    expect(await store.get('a')).toBeUndefined();
    expect(server.connections.size).toBe(1);
  });

  test('takes an error of Redis as an answer', async () => {
    const { client, connection } = clientOf(server);
    const store = new RedisStore({ client, clock });
    connection.run = () => Promise.reject(new Error('NOPERM this user has no permissions'));
    await expect(store.get('a')).rejects.toThrow('NOPERM');
    await clock.advance(5_001);
    await expect(store.get('a')).rejects.toThrow('NOPERM');
    expect(server.connections.size).toBe(0);
  });

  test('ends its own connection with the client, and opens none for a client that has ended', async () => {
    const { client, connection, end } = clientOf(server);
    const store = new RedisStore({ client, clock });
    connection.silent = true;
    const read = handled(store.get('a'));
    await clock.advance(5_001);
    await expect(read).rejects.toEqual(unanswered(5_000));
    await store.get('a');
    expect(server.connections.size).toBe(1);
    end();
    expect(server.connections.size).toBe(0);
    const late = handled(store.get('a'));
    await clock.advance(5_001);
    await expect(late).rejects.toEqual(unanswered(5_000));
    expect(server.connections.size).toBe(0);
  });

  test('gives claims a fifth of their TTL, between half a second and five', async () => {
    const { client, connection } = clientOf(server);
    const claims = new RedisClaims({ client, clock });
    const request = { replica: 'a', member: true, load: 0, held: [] };
    for (const { ttlMs, timeoutMs } of [
      { ttlMs: 1_500, timeoutMs: 500 },
      { ttlMs: 10_000, timeoutMs: 2_000 },
      { ttlMs: 60_000, timeoutMs: 5_000 },
    ] as const) {
      for (const line of [connection, ...server.connections]) line.silent = true;
      const renewal = handled(claims.renew({ ...request, ttlMs }));
      await clock.advance(timeoutMs + 1);
      await expect(renewal).rejects.toEqual(unanswered(timeoutMs));
      await claims.release({ replica: 'a', claims: [], leave: true });
      expect(server.connections.size).toBe(1);
    }
  });
});

test('a pool is not replaced, but its commands have a deadline', async () => {
  const { client: { hmGet, eval: evaluate }, connection } = fakeNodeRedis(server);
  const store = new RedisStore({ client: { hmGet, eval: evaluate }, clock });
  connection.silent = true;
  const read = handled(store.get('a'));
  await clock.advance(5_001);
  await expect(read).rejects.toEqual(unanswered(5_000));
  connection.silent = false;
  expect(await store.get('a')).toBeUndefined();
});
