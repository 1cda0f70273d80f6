import { Redis } from 'ioredis';
import { createClientPool } from 'redis';
import { isConnectionError } from 'hydrant';
import { RedisStore } from 'hydrant/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { startRedis } from '../support/redis.mjs';
import { testPrefix, viaIoredis, viaNodeRedis } from '../support/redis-clients.js';
import type { TestServer } from '../support/server.mjs';
import { REFUSED_DRAFTS } from '../../stores/support/refused-drafts.js';
import { UNREADABLE_ROWS } from '../../stores/support/unreadable-rows.js';

const redisUrl = inject('redisUrl');

describe.skipIf(redisUrl === undefined)('RedisStore', () => {
  const prefix = testPrefix();
  let client: Redis;
  let store: RedisStore<{ token?: string; list?: number[] }>;
  beforeAll(() => {
    client = new Redis(redisUrl as string);
    store = new RedisStore({ client, prefix });
  });
  afterAll(() => client.disconnect());
  beforeEach(() => client.del(`${prefix}records`, `${prefix}versions`, `${prefix}counter`));

  test('keeps every field of a record as it was', async () => {
    const record = { id: 'acme', token: '"\\\n\0🙂', list: [1, 2.5] };
    const written = await store.put(record);
    expect(written).toEqual({ ...record, status: 'active', version: expect.stringMatching(/^1-[0-9a-f]{12}$/) as string });
    expect(await store.get('acme')).toEqual(written);
    expect(await store.list()).toEqual([written]);
    expect(await store.put(written)).toEqual(written);
    expect((await store.put({ ...written, status: 'stopped' })).version).not.toBe(written.version);
  });

  test('reads many with one command', async () => {
    await store.put({ id: 'a' });
    const sent = vi.spyOn(client, 'sendCommand');
    onTestFinished(() => sent.mockRestore());
    await store.getMany(['a', 'b', '', '\ud800', 'c']);
    await store.getVersions(['a', 'b']);
    await store.getMany([]);
    await store.get('\ud800');
    await expect(store.get('a', { signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    expect(sent.mock.calls.map(([{ name, args }]) => ({ name, args }))).toEqual([
      { name: 'hmget', args: [`${prefix}records`, 'a', 'b', 'c'] },
      { name: 'hmget', args: [`${prefix}versions`, 'a', 'b'] },
    ]);
  });

  test('versions do not repeat even when Redis has lost everything', async () => {
    const seen: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      seen.push((await store.put({ id: 'acme', token: 'the same' })).version);
      await client.del(`${prefix}records`, `${prefix}versions`, `${prefix}counter`);
    }
    expect(new Set(seen).size).toBe(5);
  });

  test('lists more rows than one scan step returns, and leaves out entries that are no record', async () => {
    await Promise.all(Array.from({ length: 3_000 }, (_, n) => store.put({ id: `c${n}`, token: 'x'.repeat(100) })));
    await client.hset(`${prefix}records`, 'broken', 'x {');
    expect(new Set((await store.list()).map(({ id }) => id)).size).toBe(3_000);
  });

  test.each(UNREADABLE_ROWS)('a row with $what is INVALID_RECORD', async ({ row }) => {
    await client.hset(`${prefix}records`, 'bad', row);
    await expect(store.get('bad')).rejects.toSatisfy(
      (error) => isConnectionError(error, 'INVALID_RECORD') && !error.message.includes('secret'),
    );
  });

  test.each(REFUSED_DRAFTS)('refuses $what with a clear error and writes nothing', async ({ draft, code }) => {
    await expect(store.put(draft as never)).rejects.toMatchObject({ code });
    expect(await store.list()).toEqual([]);
  });

  test('has no watch if the client cannot open a connection of its own', async () => {
    const pool = createClientPool({ url: redisUrl as string });
    await pool.connect();
    const pooled = new RedisStore({ client: pool, prefix });
    expect(pooled.watch).toBeUndefined();
    await pooled.put({ id: 'a' });
    expect(await pooled.get('a')).toBeDefined();
    pool.destroy();
    expect(new RedisStore({ client, prefix, watch: false }).watch).toBeUndefined();
  });

  test('closes its connection when the last watch ends', async () => {
    const listening = async (): Promise<string[]> => {
      const channels = await client.pubsub('CHANNELS', `${prefix.replace(/[{}]/g, '?')}*`);
      return (channels as string[]).filter((channel) => channel.includes(':ping:'));
    };
    const named = await viaNodeRedis(redisUrl as string);
    for (const each of [client, named.client]) {
      const subscription = await new RedisStore({ client: each, prefix }).watch?.({ changed() {}, gap() {} });
      expect(await listening()).toHaveLength(1);
      await subscription?.[Symbol.asyncDispose]();
      await expect.poll(listening).toEqual([]);
    }
    await named[Symbol.asyncDispose]();
  });
});

describe.skipIf(redisUrl === undefined)('RedisStore when Redis is restarted', () => {
  let server: TestServer;
  beforeAll(async () => { server = await startRedis({ own: true }); });
  afterAll(() => server.stop());

  test.each(['ioredis', 'node-redis'] as const)(
    'watch through %s subscribes again, with a gap, and rows and versions are still there',
    async (kind) => {
      await using connected = kind === 'ioredis' ? viaIoredis(server.url) : await viaNodeRedis(server.url);
      const store = new RedisStore<{ token: string }>({
        client: connected.client,
        prefix: `{${kind}}:`,
        watch: { timeoutMs: 1_000, backoff: { initialMs: 20, maxMs: 200 } },
      });
      const heard = { gaps: 0, changed: [] as string[] };
      await using _subscription = (await store.watch?.({
        gap: () => void (heard.gaps += 1),
        changed: (ids) => void heard.changed.push(...ids),
      })) ?? { async [Symbol.asyncDispose]() {} };
      const before = await store.put({ id: 'acme', token: 'a' });
      await expect.poll(() => heard.changed).toEqual(['acme']);
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        const { gaps } = heard;
        await server.halt(signal);
        await server.resume();
        await expect.poll(() => heard.gaps, { timeout: 10_000 }).toBeGreaterThan(gaps);
        expect(await store.get('acme')).toEqual(before);
      }
      heard.changed.length = 0;
      expect((await store.put({ id: 'acme', token: 'b' })).version).toMatch(/^2-/);
      await expect.poll(() => heard.changed).toEqual(['acme']);
    },
  );
});
