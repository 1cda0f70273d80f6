import { RedisClaims, type RedisClaimsOptions } from 'hydrant/redis';
import { claimConformance, ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { CLIENTS } from './support/fake-redis-clients.js';
import { FakeRedis } from './support/fake-redis.js';

let server: FakeRedis;
beforeEach(() => { server = new FakeRedis(); });

describe('RedisClaims', () => {
  claimConformance({ describe, it: test }, ({ forgetAfterMs }) => {
    server.forgetAfterMs = forgetAfterMs ?? Infinity;
    return {
      claims: new RedisClaims({ client: CLIENTS.ioredis(server) }),
      others: new RedisClaims({ client: CLIENTS['node-redis'](server) }),
      wait: (ms) => server.clock.advance(ms),
      rows: () => server.claimRows(),
    };
  }, { watch: true, forgets: true });

  const request = { replica: 'a', ttlMs: 60_000, ids: ['c1'], limit: 1, freeForMs: 0 };
  const claimsOf = (options: Partial<RedisClaimsOptions> = {}) =>
    new RedisClaims({ client: CLIENTS.ioredis(server), ...options });

  test.each([
    { prefix: '{hydrant}:claims:', options: {} },
    { prefix: '{a b}', options: { prefix: '{a b}' } },
  ])('uses the same keys on every replica with the prefix $prefix', async ({ prefix, options }) => {
    const claims = claimsOf(options);
    const held = await claims.claim(request);
    await claims.renew({ replica: 'a', ttlMs: 1, member: true, load: 1, held });
    await claims.release({ replica: 'a', claims: held, leave: true });
    const keys = ['epoch', 'members', 'loads', 'owned:a', 'seen', 'scope', 'hints', 'claim:c1'].map((key) => prefix + key);
    expect(server.sent.map((sent) => sent.keys)).toEqual([[`${prefix}epoch`], keys, keys, keys]);
  });

  test('sends nothing if no caller waits for the answer', async () => {
    const gone = { signal: AbortSignal.abort('gone') };
    await expect(claimsOf().claim(request, gone)).rejects.toBe('gone');
    await expect(claimsOf().renew({ replica: 'a', ttlMs: 1, member: true, load: 0, held: [] }, gone)).rejects.toBe('gone');
    await expect(claimsOf().release({ replica: 'a', claims: [], leave: true }, gone)).rejects.toBe('gone');
    expect(server.sent).toEqual([]);
    for (const [n, waiting] of [{ signal: new AbortController().signal }, {}].entries())
      expect(await claimsOf().claim({ ...request, ids: [`c${n}`] }, waiting)).toHaveLength(1);
  });

  test('announces neither a release that released nothing nor one under another prefix', async () => {
    const hints: unknown[] = [];
    await claimsOf().watch?.((hint) => hints.push(hint));
    await claimsOf().release({ replica: 'nobody', claims: [{ id: 'c1', token: 1n }], leave: true });
    const others = claimsOf({ prefix: '{other}:' });
    await others.release({ replica: 'a', claims: await others.claim(request), leave: false });
    expect(hints).toEqual([{ from: '', left: false }]);
  });

  test('sends its ping to the node of the claims, and no other subscriber hears it', async () => {
    const clock = new ManualClock();
    await Promise.all([claimsOf({ clock }).watch?.(() => {}), claimsOf({ clock }).watch?.(() => {})]);
    await clock.advance(15_000);
    expect(server.subscribers.map(({ heard }) => heard)).toEqual([2, 2]);
    const scope = '{hydrant}:claims:scope';
    const pings = Array.from({ length: 4 }, () => [scope, '{hydrant}:claims:hints']);
    expect(server.sent.map(({ keys }) => keys)).toEqual([[scope], [scope], ...pings]);
  });

  test('reports releases until it is disposed of', async () => {
    const hints: unknown[] = [];
    const claims = claimsOf();
    const subscription = await claims.watch?.((hint) => hints.push(hint));
    await claims.release({ replica: 'a', claims: await claims.claim(request), leave: false });
    expect(hints).toEqual([{ from: '', left: false }, { from: 'a', left: false }]);
    await subscription?.[Symbol.asyncDispose]();
    expect(server.connections.size).toBe(0);
  });

  test('checks every 15 seconds for five seconds that it still hears, and listens again if not', async () => {
    const clock = new ManualClock();
    const errors: unknown[] = [];
    const hints: unknown[] = [];
    const subscription = await claimsOf({ clock, onWatchError: (error) => errors.push(error) }).watch?.((hint) =>
      hints.push(hint),
    );
    await clock.advance(15_000);
    expect(errors).toEqual([]);
    for (const subscriber of server.subscribers) subscriber.channels = [];
    await clock.advance(19_999);
    expect(errors).toEqual([]);
    await clock.advance(1);
    expect(errors).toHaveLength(1);
    await clock.advance(49);
    expect(hints).toHaveLength(1);
    await clock.advance(51);
    expect(hints).toEqual([{ from: '', left: false }, { from: '', left: false }]);
    await subscription?.[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  test('has no watch on a pool, which cannot listen, nor if it is turned off', () => {
    const { hmGet, eval: evaluate } = CLIENTS['node-redis'](server);
    expect(claimsOf({ client: { hmGet, eval: evaluate } }).watch).toBeUndefined();
    expect(claimsOf({ watch: false }).watch).toBeUndefined();
    expect(claimsOf().watch).toBeTypeOf('function');
  });

  test.each<{ options: unknown; message: string }>([
    { options: { client: {} }, message: 'client: expected an ioredis or node-redis client, got an object' },
    { options: { prefix: 'hydrant:' }, message: 'prefix: expected text with a hash tag in braces, got "hydrant:"' },
    { options: { prefix: '{}:' }, message: 'prefix: expected text with a hash tag in braces, got "{}:"' },
    { options: { prefix: ['{a}:'] }, message: 'prefix: expected text with a hash tag in braces, got an array' },
    { options: { prefix: 7 }, message: 'prefix: expected text with a hash tag in braces, got 7' },
  ])('refuses wrong options: $options', ({ options, message }) => {
    expect(() => claimsOf(options as Partial<RedisClaimsOptions>)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: `RedisClaims: ${message}` }),
    );
  });
});
