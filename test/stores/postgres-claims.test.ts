import type { PGlite } from '@electric-sql/pglite';
import { PostgresClaims, type PostgresClaimsOptions } from 'hydrant/postgres';
import { claimConformance, ManualClock, settle } from 'hydrant/testing';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emptyPglite, passInPglite, PgliteListener, startPglite } from './support/pglite.js';

let db: PGlite;
beforeAll(async () => { await startPglite(); }, 60_000);
beforeEach(async () => {
  db = await emptyPglite();
  await new PostgresClaims({ client: db }).migrate();
});

const claimsOf = (options: Partial<PostgresClaimsOptions> = {}) =>
  new PostgresClaims({ client: db, listenClient: () => new PgliteListener(db), ...options });

// Its longest test is for real servers: test/servers runs the whole suite on one.
const quick = (name: string, body: () => Promise<void>) => name.includes('2 000') ? undefined : test(name, body);
claimConformance({ describe, it: quick }, (settings) => ({
  claims: claimsOf(settings), others: claimsOf(settings),
  wait: (ms) => passInPglite(db, ms),
  rows: async () => (await db.query('select from hydrant_claims')).rows.length,
  setClockBack: (ms) => passInPglite(db, -ms),
}), { watch: true, forgets: true, clockSetBack: true });

describe('PostgresClaims', () => {
  const request = { replica: 'a', ttlMs: 60_000, ids: ['c1', 'c2', 'c3'], limit: 3, freeForMs: 0 };

  test('tokens rise even if the sequence is set back', async () => {
    const claims = claimsOf();
    const [first] = await claims.claim({ ...request, ids: ['c1'] });
    await claims.release({ replica: 'a', claims: [first!], leave: false });
    await db.query(`select setval('hydrant_claims_token_seq', 1)`);
    const [second] = await claims.claim({ ...request, ids: ['c1'] });
    expect(second!.token).toBe(first!.token + 1n);
  });

  test('a row with the greatest token is left alone, and fails no other row', async () => {
    await db.query(
      `insert into hydrant_claims (connection_id, token, expires_at) values ('c2', 9223372036854775807, '-infinity')`,
    );
    expect((await claimsOf().claim(request)).map(({ id }) => id).toSorted()).toEqual(['c1', 'c3']);
  });

  describe('when the clock of the server is set back by an hour', () => {
    const HOUR = 3_600_000;
    const beat = (replica: string, held: readonly { id: string; token: bigint }[] = []) =>
      claimsOf().renew({ replica, ttlMs: 10_000, member: true, load: held.length, held });
    const take = (replica: string) => claimsOf().claim({ ...request, replica, ttlMs: 10_000 });

    test('the claims of a dead replica are free one TTL after the next look, and it is no member any more', async () => {
      await beat('dead');
      expect(await take('dead')).toHaveLength(3);
      await passInPglite(db, -HOUR);
      expect(await take('b')).toEqual([]);
      expect((await beat('b')).members).toHaveLength(2);
      await passInPglite(db, 9_000);
      expect(await take('b')).toEqual([]);
      await passInPglite(db, 1_001);
      expect(await take('b')).toHaveLength(3);
      expect((await beat('b')).members.map(({ replica }) => replica)).toEqual(['b']);
    });

    test('a living owner keeps its claims', async () => {
      await beat('a');
      const held = await take('a');
      await passInPglite(db, -HOUR);
      for (let n = 0; n < 6; n += 1) {
        expect(await take('b')).toEqual([]);
        expect((await beat('a', held)).renewed).toHaveLength(3);
        await passInPglite(db, 3_000);
      }
    });

    test('an owner with a longer TTL than the asking replica keeps its full TTL', async () => {
      await claimsOf().renew({ replica: 'slow', ttlMs: 60_000, member: true, load: 0, held: [] });
      expect(await claimsOf().claim({ ...request, replica: 'slow', ttlMs: 60_000 })).toHaveLength(3);
      expect(await take('b')).toEqual([]);
      await passInPglite(db, 20_000);
      expect(await take('b')).toEqual([]);
    });

    test('a released claim is free at the second look, and an offer lasts for its full time', async () => {
      await beat('a');
      const held = await take('a');
      await claimsOf().release({
        replica: 'a',
        claims: held.map(({ id, token }) => ({ id, token, offer: { to: 'c', forMs: 5_000 } })),
        leave: false,
      });
      await passInPglite(db, -HOUR);
      expect(await take('b')).toEqual([]);
      expect(await take('b')).toEqual([]);
      await passInPglite(db, 5_001);
      expect(await take('b')).toHaveLength(3);
    });
  });

  test('keeps the row of a released claim, and forgets replicas that have been gone for a day', async () => {
    const claims = claimsOf();
    await claims.release({ replica: 'a', claims: await claims.claim(request), leave: true });
    expect((await db.query('select from hydrant_claims')).rows).toHaveLength(3);
    await db.query(
      `insert into hydrant_claims_replicas values
        ('long gone', 0, now() - interval '2 days'), ('just gone', 0, now() - interval '1 hour')`,
    );
    await claims.renew({ replica: 'b', ttlMs: 1_000, member: true, load: 0, held: [] });
    const { rows } = await db.query('select replica from hydrant_claims_replicas order by 1');
    expect(rows).toEqual([{ replica: 'b' }, { replica: 'just gone' }]);
  });

  test('sends nothing if no caller waits for the answer', async () => {
    const claims = claimsOf({ client: { query: () => Promise.reject(new Error('sent')) } });
    const gone = { signal: AbortSignal.abort('gone') };
    await expect(claims.claim(request, gone)).rejects.toBe('gone');
    await expect(claims.renew({ replica: 'a', ttlMs: 1, member: true, load: 0, held: [] }, gone)).rejects.toBe('gone');
    await expect(claims.release({ replica: 'a', claims: [], leave: true }, gone)).rejects.toBe('gone');
    for (const waiting of [{ signal: new AbortController().signal }, {}])
      await expect(claims.claim(request, waiting)).rejects.toThrow('sent');
  });

  test('starts to listen with a hint without a replica, and passes on hints of its own table only', async () => {
    const hints: unknown[] = [];
    const subscription = await claimsOf({ table: 'elsewhere.other' }).watch?.((hint) => hints.push(hint));
    const claims = claimsOf();
    await claims.release({ replica: 'a', claims: await claims.claim(request), leave: false });
    await settle();
    expect(hints).toEqual([{ from: '', left: false }]);
    await subscription?.[Symbol.asyncDispose]();
  });

  test('announces a release on a channel named after the table', async () => {
    const told: string[] = [];
    await db.exec('listen hydrant_hydrant_claims');
    const stop = db.onNotification((_channel, payload) => { told.push(payload); });
    await claimsOf().release({ replica: 'a', claims: await claimsOf().claim(request), leave: false });
    await settle();
    stop();
    expect(told).toEqual(['["a"]']);
  });

  test('accepts a name of as many bytes as PostgreSQL keeps', async () => {
    const claims = claimsOf({ table: 'x'.repeat(63) });
    await claims.migrate();
    expect(await claims.claim(request)).toHaveLength(3);
  });

  test('does not announce a release that released nothing', async () => {
    const hints: unknown[] = [];
    const claims = claimsOf();
    const subscription = await claims.watch?.((hint) => hints.push(hint));
    await claims.release({ replica: 'nobody', claims: [{ id: 'c1', token: 1n }], leave: true });
    await settle();
    expect(hints).toEqual([{ from: '', left: false }]);
    await subscription?.[Symbol.asyncDispose]();
  });

  test('checks every 15 seconds for five seconds that it still hears, and reports a loss', async () => {
    const clock = new ManualClock();
    const errors: unknown[] = [];
    let deaf = false;
    const client = { query: (text: string, values?: unknown[]) => deaf ? new Promise<never>(() => {}) : db.query(text, values) };
    const hints: unknown[] = [];
    const subscription = await claimsOf({ client, clock, onWatchError: (error) => errors.push(error) }).watch?.((hint) =>
      hints.push(hint),
    );
    deaf = true;
    await clock.advance(19_999);
    expect(errors).toEqual([]);
    await clock.advance(1);
    expect(errors).toHaveLength(1);
    deaf = false;
    await clock.advance(49);
    expect(hints).toHaveLength(1);
    await clock.advance(51);
    for (let turn = 0; hints.length < 2 && turn < 50; turn += 1) await settle();
    expect(hints).toHaveLength(2);
    await subscription?.[Symbol.asyncDispose]();
  });

  test('has watch only with listenClient', () => {
    expect(new PostgresClaims({ client: db }).watch).toBeUndefined();
    expect(claimsOf().watch).toBeTypeOf('function');
  });

  const client = { query: async () => ({ rows: [] }) };
  test.each<{ options: unknown; message: string }>([
    { options: { client: {} }, message: 'client: expected an object with query(text, values), got an object' },
    { options: {}, message: 'client: expected an object with query(text, values), got nothing' },
    { options: { client, table: 'a.b.c' }, message: 'table: expected \'table\' or \'schema.table\', got "a.b.c"' },
    { options: { client, table: '' }, message: 'table: expected \'table\' or \'schema.table\', got ""' },
    { options: { client, table: 'a.' }, message: 'table: expected \'table\' or \'schema.table\', got "a."' },
    { options: { client, table: '.a' }, message: 'table: expected \'table\' or \'schema.table\', got ".a"' },
    { options: { client, table: 'a\0' }, message: 'table: expected \'table\' or \'schema.table\', got "a\\u0000"' },
    {
      options: { client, table: 'x'.repeat(64) },
      message: `table: expected 'table' or 'schema.table', got "${'x'.repeat(40)}…"`,
    },
    { options: { client, table: 7 }, message: 'table: expected \'table\' or \'schema.table\', got 7' },
    { options: { client, queryTimeoutMs: 0 }, message: 'queryTimeoutMs: expected milliseconds from 1 to 2147483647, got 0' },
    {
      options: { client, listenClient: 'x' },
      message: 'listenClient: expected a function that makes a connection, got a string',
    },
  ])('refuses wrong options: $options', ({ options, message }) => {
    expect(() => new PostgresClaims(options as PostgresClaimsOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: `PostgresClaims: ${message}` }),
    );
  });
});
