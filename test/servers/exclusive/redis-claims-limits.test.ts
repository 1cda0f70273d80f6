import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { RedisClaims } from 'hydrant/redis';
import type { Claim, ReleasedClaim } from '../../../src/exclusive/claims/contract.js';
import { startRedis } from '../support/redis.mjs';
import type { TestServer } from '../support/server.mjs';

const url = inject('redisUrl');
const HIGHEST = 2n ** 63n - 1n;
const HOUR_MS = 3_600_000;

describe.runIf(url !== undefined)('RedisClaims', () => {
  let client: Redis;
  let tests = 0;
  let prefix = '';
  let claims: RedisClaims;
  beforeAll(() => { client = new Redis(url!); });
  afterAll(() => client.disconnect());
  beforeEach(() => {
    tests += 1;
    prefix = `{limits-${process.pid}-${tests}}:`;
    claims = new RedisClaims({ client, prefix });
  });

  const claim = (
    ids: readonly string[],
    { replica = 'a', ttlMs = 60_000, freeForMs = 0, limit = ids.length } = {},
  ): Promise<readonly Claim[]> => claims.claim({ replica, ttlMs, ids, limit, freeForMs });
  const renew = (held: readonly Claim[], { replica = 'a', ttlMs = 60_000 } = {}) =>
    claims.renew({ replica, ttlMs, member: true, load: held.length, held });
  const idsOf = (taken: readonly { id: string }[]): string[] => taken.map(({ id }) => id);
  const row = (id: string): string => `${prefix}claim:${id}`;

  test('an offer is handed out at once, however long freeForMs is, to the replica that it names', async () => {
    const ids = ['offered', 'withheld', 'free'];
    const offers = {
      offered: { to: 'b', forMs: 60_000 }, withheld: { notTo: 'c', forMs: 60_000 }, free: undefined,
    } as Record<string, ReleasedClaim['offer']>;
    const taken = await claim(ids);
    const given = taken.map(({ id, token }) => ({ id, token, offer: offers[id] }));
    await claims.release({ replica: 'a', claims: given, leave: false });
    expect(await claim(ids, { replica: 'c', freeForMs: 30_000 })).toEqual([]);
    expect(idsOf(await claim(ids, { replica: 'b', freeForMs: 30_000 }))).toEqual(['offered']);
    expect(idsOf(await claim(ids, { replica: 'b' })).toSorted()).toEqual(['free', 'withheld']);
  });

  describe('tokens', () => {
    test('do not repeat above 2^53, where Lua cannot tell numbers apart', async () => {
      await client.set(`${prefix}epoch`, String(2n ** 53n + 10n));
      const tokens = (await claim(Array.from({ length: 50 }, (_, n) => `c${n}`))).map(({ token }) => token);
      expect(new Set(tokens).size).toBe(50);
      expect(tokens[0]).toBe(2n ** 53n + 11n);
    });

    test('rise above the row’s own, digit by digit', async () => {
      await client.hset(row('c1'), { token: String(2n ** 60n + 1n), expires: '0' });
      const [first] = await claim(['c1']);
      expect(first!.token).toBe(2n ** 60n + 2n);
      await claims.release({ replica: 'a', claims: [first!], leave: false });
      expect((await claim(['c1']))[0]!.token).toBe(2n ** 60n + 3n);
      expect(Number((await claim(['c2']))[0]!.token), 'one row does not raise the tokens of the others').toBeLessThan(2 ** 53);
    });

    test('a row with the greatest token is never taken, and fails no other row', async () => {
      await client.hset(row('c1'), { token: String(HIGHEST), expires: '0' });
      await client.hset(row('c2'), { token: String(HIGHEST - 1n), expires: '0' });
      const taken = await claim(['c1', 'c2', 'c3']);
      expect(idsOf(taken).toSorted()).toEqual(['c2', 'c3']);
      expect(taken.find(({ id }) => id === 'c2')!.token).toBe(HIGHEST);
    });
  });

  test('a row that other code has corrupted fails no other row', async () => {
    await client.set(row('c1'), 'no hash');
    await client.hset(row('c2'), { token: 'x', expires: 'y', owner: 'z' });
    const taken = await claim(['c1', 'c2', 'c3']);
    expect(idsOf(taken).toSorted()).toEqual(['c2', 'c3']);
    const { renewed, lost } = await renew([{ id: 'c1', token: 1n, notes: undefined }, ...taken]);
    expect(renewed.toSorted()).toEqual(['c2', 'c3']);
    expect(lost, 'nobody knows').toEqual([]);
    await claims.release({ replica: 'a', claims: [{ id: 'c1', token: 1n }, ...taken], leave: true });
    expect(idsOf(await claim(['c1', 'c2', 'c3'])).toSorted()).toEqual(['c2', 'c3']);
  });

  test('when the server’s clock is set back, a claim ends after its owner’s TTL, not that of the asking replica', async () => {
    await claim(['c1'], { replica: 'dead', ttlMs: 100 });
    const asIfTheClockWereSetBack = (ms: number): Promise<number> => client.hincrby(row('c1'), 'expires', ms);
    await asIfTheClockWereSetBack(HOUR_MS);
    expect(await claim(['c1'], { replica: 'b', ttlMs: 60_000 })).toEqual([]);
    await sleep(150);
    expect(idsOf(await claim(['c1'], { replica: 'b', ttlMs: 60_000 }))).toEqual(['c1']);
  });

  describe('numbers', () => {
    const many = (count: number): string[] => Array.from({ length: count }, (_, n) => `c${n}`);

    test('30 000 are claimed, renewed and released', async () => {
      const taken = await claim(many(30_000));
      expect(taken).toHaveLength(30_000);
      const { renewed, lost, strays } = await renew(taken.slice(0, -1));
      expect({ renewed: renewed.length, lost: lost.length, strays: idsOf(strays) }).toEqual({
        renewed: 29_999,
        lost: 0,
        strays: ['c29999'],
      });
      await claims.release({ replica: 'a', claims: taken, leave: true });
      expect(await claim(many(30_000), { replica: 'b', limit: 30_000 })).toHaveLength(30_000);
    }, 60_000);

    test('the one free of a million candidates is found, and only as many as needed are sent', async () => {
      const ids = many(1_000_000);
      const before = Number(/total_net_input_bytes:(\d+)/.exec(await client.info('stats'))![1]);
      expect(idsOf(await claim(ids, { limit: 1 }))).toEqual(['c0']);
      const after = Number(/total_net_input_bytes:(\d+)/.exec(await client.info('stats'))![1]);
      expect(after - before).toBeLessThan(100_000);
      const onTheServerForAllButTheLast = async (command: string): Promise<void> => {
        const script = `for n = tonumber(ARGV[2]), tonumber(ARGV[3]) do local key = ARGV[1] .. n; ${command} end`;
        for (let n = 0; n < 999_999; n += 50_000)
          await client.eval(script, 0, row('c'), String(n), String(Math.min(n + 49_999, 999_998)));
      };
      const expires = Date.now() + 600_000;
      await onTheServerForAllButTheLast(
        `redis.call('HSET', key, 'owner', 'b', 'token', '1', 'ttl', '600000', 'expires', '${expires}')`,
      );
      expect(idsOf(await claim(ids, { limit: 5 }))).toEqual(['c999999']);
      await onTheServerForAllButTheLast("redis.call('DEL', key)");
    }, 60_000);
  });

  test('deletes keys of claims that expired long ago, and never repeats a token', async () => {
    claims = new RedisClaims({ client, prefix, forgetAfterMs: 100 });
    const taken = await claim(Array.from({ length: 250 }, (_, n) => `c${n}`), { ttlMs: 50 });
    const kept = await claim(['kept'], { replica: 'b' });
    await client.hset(row('c7'), 'token', String(2n ** 62n));
    const keys = () => client.keys(`${prefix.replace(/[{}]/g, '?')}claim:*`);
    await expect.poll(async () => {
      await renew(kept, { replica: 'b' });
      return (await keys()).toSorted();
    }, { timeout: 5_000 }).toEqual([row('c7'), row('kept')]);
    const again = await claim(idsOf(taken));
    for (const [n, { id, token }] of again.entries()) expect(token > taken[n]!.token, id).toBe(true);
    expect(again.find(({ id }) => id === 'c7')!.token).toBe(2n ** 62n + 1n);
    expect((await renew(kept, { replica: 'b' })).renewed).toEqual(['kept']);
  });
});

describe.runIf(url !== undefined)('RedisClaims on a server that evicts', () => {
  let server: TestServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedis({ own: true });
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });
  const request = {
    replica: 'a',
    ttlMs: 600_000,
    ids: Array.from({ length: 2_000 }, (_, n) => `c${n}`),
    limit: 2_000,
    freeForMs: 0,
  };

  test.each(['allkeys-lru', 'allkeys-random', 'allkeys-lfu'])(
    'refuses %s with a memory limit, and works once that is changed',
    async (policy) => {
      await admin.config('SET', 'maxmemory-policy', policy);
      await admin.config('SET', 'maxmemory', '100mb');
      const node = createClient({ url: server.url });
      await node.connect();
      for (const client of [admin, node]) {
        await admin.config('SET', 'maxmemory-policy', policy);
        const claims = new RedisClaims({ client, prefix: `{${policy}}:` });
        const refusal = {
          code: 'INVALID_OPTIONS',
          message: `RedisClaims: expected a server that evicts no claims, got maxmemory-policy ${policy}`,
        };
        await expect(claims.claim({ ...request, ids: ['c'], limit: 1 })).rejects.toMatchObject(refusal);
        await admin.config('SET', 'maxmemory-policy', 'noeviction');
        await claims.claim({ ...request, ids: ['c'], limit: 1 });
      }
      await admin.config('SET', 'maxmemory', '0');
      await admin.config('SET', 'maxmemory-policy', policy);
      expect(
        await new RedisClaims({ client: admin, prefix: `{unlimited ${policy}}:` }).claim({ ...request, ids: ['c'], limit: 1 }),
      ).toHaveLength(1);
      node.destroy();
    },
  );

  test.each(['volatile-lru', 'volatile-ttl', 'volatile-random'])(
    'loses no claim to %s, even with little memory left',
    async (policy) => {
      await admin.flushall();
      await admin.config('SET', 'maxmemory-policy', policy);
      await admin.config('SET', 'maxmemory', '100mb');
      const claims = new RedisClaims({ client: admin });
      const held = await claims.claim(request);
      await claims.renew({ ...request, member: true, load: 0, held });
      const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))![1]);
      await admin.config('SET', 'maxmemory', String(used));
      for (let n = 0; n < 200; n += 1) await admin.set(`other${n}`, 'x'.repeat(10_000), 'EX', 1_000).catch(() => {});
      expect(Number(/evicted_keys:(\d+)/.exec(await admin.info('stats'))![1])).toBeGreaterThan(0);
      await admin.config('SET', 'maxmemory', '0');
      expect((await claims.renew({ ...request, member: true, load: 0, held })).renewed).toHaveLength(2_000);
      expect(await claims.claim({ ...request, replica: 'b' })).toEqual([]);
    },
  );

  test('works for a user who may not call INFO and CONFIG', async () => {
    await admin.call('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-info', '-config');
    const limited = new Redis(server.url, { username: 'limited', password: 'secret' });
    expect(
      await new RedisClaims({ client: limited, prefix: '{limited}:' }).claim({ ...request, ids: ['c'], limit: 1 }),
    ).toHaveLength(1);
    limited.disconnect();
  });
});
