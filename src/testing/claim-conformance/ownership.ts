import assert from 'node:assert/strict';
import { ids, only, type ClaimSuite } from './harness.js';

/** Ownership of claims, and their tokens. */
export function ownershipTests({ test }: ClaimSuite): void {
  test('claims unseen ids in the given order, up to the limit', async ({ a }) => {
    assert.deepEqual(ids(await a.claim(['c3', 'c1', 'c2'], { limit: 2 })), ['c1', 'c3']);
    assert.deepEqual(ids(await a.claim(['c3', 'c1', 'c2'], { limit: 2 })), ['c2']);
    assert.deepEqual(await a.claim(['c4'], { limit: 0 }), []);
    assert.deepEqual(await a.claim([]), []);
  });

  test('never gives a validly owned connection, not even to its owner', async ({ a, b }) => {
    await a.claim(['c1']);
    assert.deepEqual(await b.claim(['c1']), []);
    assert.deepEqual(await a.claim(['c1']), []);
  });

  test('gives an expired claim to the next caller, with a higher token, and reports it to the last owner as lost', async ({
    a,
    b,
    wait,
    ttlMs,
  }) => {
    const first = only(await a.claim(['c1']));
    await wait(ttlMs * 1.1);
    const second = only(await b.claim(['c1']));
    assert.ok(second.token > first.token, `${second.token} is not higher than ${first.token}`);
    const renewal = await a.renew([first]);
    assert.deepEqual(renewal.renewed, []);
    assert.deepEqual(renewal.lost, ['c1']);
    assert.deepEqual((await b.renew([second])).renewed, ['c1']);
  });

  test('claims expired and unseen ids in one call', async ({ a, b, wait, ttlMs }) => {
    await a.claim(['c1', 'c2']);
    await wait(ttlMs * 1.1);
    assert.deepEqual(ids(await b.claim(['c1', 'c2', 'c3'])), ['c1', 'c2', 'c3']);
  });

  test('never expires a claim before its time', async ({ a, b, wait, ttlMs }) => {
    await a.claim(['c1']);
    await wait(ttlMs * 0.6);
    assert.deepEqual(await b.claim(['c1']), []);
  });

  test('gives a released connection to any replica at once, with a higher token', async ({ a, b }) => {
    const first = only(await a.claim(['c1']));
    await a.release([first]);
    const second = only(await b.claim(['c1']));
    assert.ok(second.token > first.token);
    await b.release([second]);
    assert.ok(only(await a.claim(['c1'])).token > second.token);
  });

  test('keeps a claim that is released with another token or by another replica', async ({ a, b }) => {
    const claim = only(await a.claim(['c1']));
    await b.release([claim]);
    await a.release([{ id: 'c1', token: claim.token + 1n }]);
    await a.release([{ id: 'c9', token: 1n }]);
    await a.release([]);
    assert.deepEqual((await a.renew([claim])).renewed, ['c1']);
    assert.deepEqual(await b.claim(['c1']), []);
  });

  test('ignores the late release of an old owner', async ({ a, b, wait, ttlMs }) => {
    const old = only(await a.claim(['c1']));
    await wait(ttlMs * 1.1);
    const current = only(await b.claim(['c1']));
    await a.release([old]);
    assert.deepEqual((await b.renew([current])).renewed, ['c1']);
  });

  test('never gives a token twice', async ({ a, b }) => {
    let last = 0n;
    for (let turn = 0; turn < 20; turn += 1) {
      const replica = turn % 2 === 0 ? a : b;
      const claim = only(await replica.claim(['c1']));
      assert.ok(claim.token > last, `token ${claim.token} came after ${last}`);
      last = claim.token;
      await replica.release([claim]);
    }
  });

  test('gives each id to one of many concurrent callers, and leaves no id free', async ({ claims, others, replica }) => {
    const wanted = Array.from({ length: 60 }, (_, index) => `c${index}`);
    const asking = Array.from({ length: 6 }, (_, index) => replica(`r${index}`, index % 2 === 0 ? claims : others));
    const taken = new Map<string, bigint>();
    // A claim skips rows that another one is just taking, so it may need more than one look.
    for (let look = 0; look < 20 && taken.size < wanted.length; look += 1) {
      const answers = await Promise.all(asking.map((one) => one.claim(wanted, { limit: 15 })));
      for (const { id, token } of answers.flat()) {
        assert.ok(!taken.has(id), `${id} was given twice`);
        taken.set(id, token);
      }
    }
    assert.equal(taken.size, wanted.length);
    assert.equal(new Set(taken.values()).size, wanted.length);
  });

  test('accepts any text without NUL as an id', async ({ a }) => {
    const odd = ["it's", 'a"b', 'a:b', 'a b', '{a}', 'a\\b', 'ü€😀', '%', 'x'.repeat(1_000), 'null', ' '];
    const claims = await a.claim(odd);
    assert.deepEqual(ids(claims), odd.toSorted());
    assert.deepEqual(ids((await a.renew(claims)).renewed), odd.toSorted());
    await a.release(claims);
    assert.deepEqual(ids(await a.claim(odd)), odd.toSorted());
  });

  test('claims, renews and releases 2 000 connections at a time', async ({ a }) => {
    const many = Array.from({ length: 2_000 }, (_, index) => `c${index}`);
    const claims = await a.claim(many);
    assert.equal(claims.length, 2_000);
    await a.release(claims);
    assert.equal((await a.claim(many)).length, 2_000);
  });
}
