import { Redis } from 'ioredis';
import type pg from 'pg';
import { PostgresClaims } from 'hydrant/postgres';
import { RedisClaims } from 'hydrant/redis';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ClaimStore } from '../../../src/exclusive/claims/contract.js';
import { createDatabase, openPool, type TestDatabase } from '../support/databases.js';
import { testPrefix } from '../support/redis-clients.js';

/** Bytes to and from the server, as JSON: not those of the wire, but in proportion to them. */
interface Traffic { underWay: number; queries: number; sent: number; received: number }

interface Fleet {
  readonly claims: ClaimStore;
  readonly traffic: Traffic;
  /** Gives connections `c<from>` to `c<to - 1>` to other replicas, a thousand to each. */
  fill(from: number, to: number): Promise<unknown>;
  close(): Promise<unknown>;
}

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '');

function counting<A extends readonly unknown[], R>(
  traffic: Traffic,
  call: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  return async (...args) => {
    traffic.underWay += 1;
    const answer = await call(...args).finally(() => { traffic.underWay -= 1; });
    traffic.queries += 1;
    traffic.sent += bytes(args);
    traffic.received += bytes(answer);
    return answer;
  };
}

async function onPostgres(): Promise<Fleet> {
  const database: TestDatabase = await createDatabase();
  const pool: pg.Pool = openPool(database.url);
  const traffic = { underWay: 0, queries: 0, sent: 0, received: 0 };
  const query = async (text: string, values?: unknown[]) => ({ rows: (await pool.query(text, values)).rows as unknown[] });
  const claims = new PostgresClaims({ client: { query: counting(traffic, query) } });
  await claims.migrate();
  return {
    claims,
    traffic,
    fill: (from, to) =>
      pool.query(
        `insert into hydrant_claims (connection_id, owner, token, expires_at)
      select 'c' || n, 'other' || n / 1000, n + 1, now() + interval '1 hour'
      from generate_series($1::integer, $2::integer - 1) n`,
        [from, to],
      ),
    async close() {
      await pool.end();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function onRedis(): Promise<Fleet> {
  const client = new Redis(inject('redisUrl')!);
  const prefix = testPrefix();
  const traffic = { underWay: 0, queries: 0, sent: 0, received: 0 };
  const counted = {
    hmget: (key: string, ...fields: string[]) => client.hmget(key, ...fields),
    eval: counting(traffic, (script: string, keys: number, ...rest: string[]) => client.eval(script, keys, ...rest)),
    duplicate: () => client.duplicate(),
  };
  const each = (from: number, to: number, command: string): Promise<unknown> =>
    client.eval(
      `for n = tonumber(ARGV[2]), tonumber(ARGV[3]) do local key = ARGV[1] .. n; ${command} end`,
      0,
      `${prefix}claim:c`,
      String(from),
      String(to - 1),
    );
  return {
    claims: new RedisClaims({ client: counted, prefix }), traffic,
    async fill(from, to) {
      const expires = Date.now() + 3_600_000;
      const row = `'owner', 'other' .. math.floor(n / 1000), 'token', string.format('%.0f', n + 1), 'ttl', '3600000', `
        + `'expires', '${expires}'`;
      await each(from, to, `redis.call('HSET', key, ${row})`);
    },
    async close() {
      await each(0, 300_000, `redis.call('UNLINK', key)`);
      client.disconnect();
    },
  };
}

const STORES: { name: string; make: () => Promise<Fleet> }[] = [{ name: 'PostgresClaims', make: onPostgres }];
if (inject('redisUrl') !== undefined) STORES.push({ name: 'RedisClaims', make: onRedis });

const REPLICAS = 100;
const HELD = 1_000;
const FLEET = 200_000;

describe.each(STORES)('$name', ({ name, make }) => {
  let fleet: Fleet;
  beforeAll(async () => { fleet = await make(); }, 60_000);
  afterAll(() => fleet.close());

  test('a heartbeat costs what the replica holds and a claim its candidates, whatever the size of the fleet', async () => {
    const { claims, traffic } = fleet;
    const request = { replica: 'r0', ttlMs: 3_600_000, freeForMs: 0 };
    const readsOfOldRowsHaveEnded = (): Promise<void> => expect.poll(() => traffic.underWay).toBe(0);
    const measured = async <T>(work: () => Promise<T>): Promise<Omit<Traffic, 'underWay'> & { result: T }> => {
      await readsOfOldRowsHaveEnded();
      const before = { ...traffic };
      const result = await work();
      return {
        queries: traffic.queries - before.queries,
        sent: traffic.sent - before.sent,
        received: traffic.received - before.received,
        result,
      };
    };
    const held = await claims.claim({ ...request, ids: Array.from({ length: HELD }, (_, n) => `c${n}`), limit: HELD });
    const heartbeat = (replica = 'r0', mine = held) =>
      claims.renew({ replica, ttlMs: 3_600_000, member: true, load: 1, held: mine });
    await heartbeat();
    const alone = await measured(() => heartbeat());
    await fleet.fill(HELD, FLEET);
    for (let n = 1; n < REPLICAS; n += 1) await heartbeat(`r${n}`, []);
    const crowded = await measured(() => heartbeat());
    expect(crowded.result.members).toHaveLength(REPLICAS);
    expect(crowded.result.renewed).toHaveLength(HELD);

    const ids = Array.from({ length: FLEET + 10 }, (_, n) => `c${n}`);
    const near = await measured(() => claims.claim({ ...request, ids: ids.toReversed(), limit: 5 }));
    const far = await measured(() => claims.claim({ ...request, ids, limit: 5 }));
    expect({ near: near.result.length, far: far.result.length }).toEqual({ near: 5, far: 5 });
    const figures = {
      'heartbeat alone': alone,
      'heartbeat of one in a hundred': crowded,
      'claim, free ones first': near,
      'claim, free ones last': far,
    };
    for (const [what, { queries, sent, received }] of Object.entries(figures)) {
      process.stdout.write(`${name.padEnd(15)} ${what.padEnd(30)} queries ${queries}  sent ${sent}  received ${received}\n`);
    }
    expect(crowded.queries).toBe(1);
    expect(crowded.sent).toBe(alone.sent);
    expect(crowded.received - alone.received, 'names of the replicas').toBeLessThan(REPLICAS * 60);
    expect((crowded.sent + crowded.received) / HELD, 'bytes per connection').toBeLessThan(150);
    expect(near.queries).toBe(1);
    expect(near.sent).toBeLessThan(500_000);
    expect(far.sent / FLEET, 'bytes per candidate').toBeLessThan(150);
  }, 120_000);
});
