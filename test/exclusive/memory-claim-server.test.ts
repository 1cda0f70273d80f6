import { MemoryClaimServer, type ClaimHint } from 'hydrant/exclusive';
import { ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Claim } from '../../src/exclusive/claims/contract.js';

describe('the memory claim server', () => {
  let clock: ManualClock;
  let server: MemoryClaimServer;
  const claim = (replica: string, ids: string[], more: { limit?: number; freeForMs?: number } = {}) =>
    server.claim({ replica, ttlMs: 100, ids, limit: 10, freeForMs: 0, ...more });
  const renew = (replica: string, held: { id: string; token: bigint; notes?: string | undefined }[] = [], member = true) =>
    server.renew({ replica, ttlMs: 100, member, load: held.length, held: held.map((one) => ({ notes: undefined, ...one })) });
  const release = (replica: string, id: string, token: bigint, more: object = {}, leave = false): void =>
    server.release({ replica, leave, claims: [{ id, token, notes: undefined, offer: undefined, ...more }] });

  beforeEach(() => { clock = new ManualClock(); server = new MemoryClaimServer({ clock }); });

  test('lets a claim lapse to the millisecond', async () => {
    const [first] = claim('r', ['a']) as readonly [Claim];
    await clock.advance(99);
    expect({ claimed: claim('s', ['a']), owned: [...server.owners().keys()] }).toEqual({ claimed: [], owned: ['a'] });
    await clock.advance(1);
    expect(server.owners().size).toBe(0);
    expect(renew('r', [{ id: 'a', token: first.token }])).toMatchObject({ renewed: [], lost: ['a'] });
    expect(claim('s', ['a'])).toMatchObject([{ id: 'a', token: first.token + 1n }]);
  });

  test('does not hand out claims that have been free for less than freeForMs', async () => {
    claim('r', ['a']);
    await clock.advance(149);
    expect(claim('s', ['a'], { freeForMs: 50 })).toEqual([]);
    await clock.advance(1);
    expect(claim('s', ['a', 'never claimed'], { freeForMs: 50 })).toHaveLength(2);
  });

  test('hands an offer out at once, however long freeForMs is, to the replica that it names', async () => {
    const [a, b] = claim('r', ['a', 'b']).map(({ token }) => token) as [bigint, bigint];
    release('r', 'a', a, { offer: { to: 's', forMs: 50 } });
    release('r', 'b', b, { offer: { notTo: 't', forMs: 50 } });
    expect(claim('t', ['a', 'b'], { freeForMs: 20 })).toEqual([]);
    expect(claim('s', ['a', 'b'], { freeForMs: 20 }).map(({ id }) => id)).toEqual(['a']);
  });

  test('keeps an offer to one replica, or to all but one, until it ends, and hands out offers first', async () => {
    const [a, b, c] = claim('r', ['a', 'b', 'c']).map(({ token }) => token) as [bigint, bigint, bigint];
    release('r', 'a', a, { offer: { to: 's', forMs: 50 } });
    release('r', 'b', b, { offer: { notTo: 's', forMs: 50 } });
    release('r', 'c', c);
    expect(claim('t', ['a'])).toEqual([]);
    expect(claim('s', ['b'])).toEqual([]);
    expect(claim('s', ['c', 'a'], { limit: 1 }).map(({ id }) => id)).toEqual(['a']);
    await clock.advance(50);
    expect(claim('s', ['b']).map(({ id }) => id)).toEqual(['b']);
  });

  test('hands out an offer once, and before other claims only until the offer ends', async () => {
    const reserve = (): void => {
      for (const { id, token } of claim('r', ['a', 'b', 'c']))
        release('r', id, token, { offer: { a: { to: 's', forMs: 50 }, b: { notTo: 't', forMs: 50 } }[id] });
    };
    reserve();
    const taken = claim('s', ['c', 'b', 'a']);
    expect(taken.map(({ id }) => id)).toEqual(['a', 'c', 'b']);
    for (const { id, token } of taken) release('s', id, token);
    reserve();
    await clock.advance(50);
    expect(claim('s', ['c', 'b', 'a']).map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  });

  test('reports a claim that its owner has forgotten until it lapses', async () => {
    claim('r', ['a']);
    await clock.advance(99);
    expect(renew('r').strays).toHaveLength(1);
    await clock.advance(1);
    expect(renew('r').strays).toEqual([]);
  });

  test('knows its members until they leave or fall silent, and the claims that an owner has forgotten', async () => {
    const [a] = claim('r', ['a']) as readonly [Claim];
    expect(renew('r')).toEqual({
      renewed: [],
      lost: [],
      strays: [{ id: 'a', token: a.token }],
      members: [{ replica: 'r', load: 0 }],
    });
    expect(renew('r', [{ id: 'a', token: a.token, notes: 'n' }])).toMatchObject({ renewed: ['a'], strays: [] });
    expect(renew('s', [], false).members).toEqual([{ replica: 'r', load: 1 }]);
    await clock.advance(100);
    expect(renew('s', [], false)).toMatchObject({ members: [], strays: [] });
    expect(claim('s', ['a'])).toMatchObject([{ notes: 'n' }]);
    expect(renew('r', [{ id: 'a', token: a.token }])).toMatchObject({ lost: ['a'] });
  });

  test('still knows the other claims that an owner has forgotten when it has released one', () => {
    const [a, b] = claim('r', ['a', 'b']) as readonly [Claim, Claim];
    release('r', 'a', a.token);
    expect(renew('r').strays).toEqual([{ id: 'b', token: b.token }]);
    release('r', 'b', b.token);
    expect(renew('r').strays).toEqual([]);
  });

  test('keeps a row for 30 days after its claim has expired, to the millisecond', async () => {
    claim('r', ['a']);
    await clock.advance(100 + 30 * 24 * 3_600_000 - 1);
    renew('r');
    expect(server.rows).toBe(1);
    await clock.advance(1);
    renew('r');
    expect(server.rows).toBe(0);
  });

  test('deletes at most a hundred old rows at a renewal, so that none takes long', async () => {
    server = new MemoryClaimServer({ clock, forgetAfterMs: 0 });
    const ids = Array.from({ length: 250 }, (_, index) => `c${index}`);
    claim('r', ids, { limit: 250 });
    await clock.advance(100);
    const left = [1, 2, 3].map(() => {
      renew('s');
      return server.rows;
    });
    expect(left).toEqual([150, 50, 0]);
  });

  test('reports each release and the replica, and nothing else', () => {
    const hints: ClaimHint[] = [];
    const stop = server.watch((hint) => hints.push(hint));
    const [a] = claim('r', ['a']) as readonly [Claim];
    release('s', 'a', a.token);
    release('r', 'a', a.token + 1n);
    release('r', 'a', a.token, {}, true);
    expect(hints).toEqual([{ from: 'r', left: true }]);
    renew('r');
    server.release({ replica: 'r', leave: true, claims: [] });
    expect(hints).toHaveLength(2);
    server.release({ replica: 'r', leave: true, claims: [] });
    stop();
    const [again] = claim('r', ['a']) as readonly [Claim];
    release('r', 'a', again.token);
    expect(hints).toHaveLength(2);
  });
});
