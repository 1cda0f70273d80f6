import assert from 'node:assert/strict';
import type { ClaimHint } from '../../exclusive/claims/contract.js';
import { promised } from '../store-conformance/harness.js';
import { ids, only, type ClaimSuite } from './harness.js';

/** Notes, offers, and hints. */
export function handOverTests({ test, capabilities }: ClaimSuite): void {
  test('keeps notes through renewals, releases and expiry', async ({ a, b, wait, ttlMs }) => {
    let claim = only(await a.claim(['c1']));
    assert.equal(claim.notes, undefined);
    await a.renew([{ ...claim, notes: 'renewed "ü"' }]);
    await a.renew([{ id: 'c1', token: claim.token }]);
    await wait(ttlMs * 1.1);
    claim = only(await b.claim(['c1']));
    assert.equal(claim.notes, 'renewed "ü"', 'a renewal without notes leaves them');
    await b.release([{ id: 'c1', token: claim.token, notes: '' }]);
    claim = only(await a.claim(['c1']));
    assert.equal(claim.notes ?? '', '');
    await a.release([{ id: 'c1', token: claim.token, notes: 'released' }]);
    claim = only(await b.claim(['c1']));
    await b.release([{ id: 'c1', token: claim.token }]);
    assert.equal(only(await a.claim(['c1'])).notes, 'released', 'a release without notes leaves them');
  });

  test('ignores the notes of a replica that is not the owner', async ({ a, b }) => {
    const claim = only(await a.claim(['c1']));
    await b.renew([{ ...claim, notes: 'forged' }]);
    await b.release([{ ...claim, notes: 'forged' }]);
    await a.renew([{ id: 'c1', token: claim.token + 1n, notes: 'forged' }]);
    await a.release([{ id: 'c1', token: claim.token }]);
    assert.equal(only(await b.claim(['c1'])).notes, undefined);
  });

  test('gives an offered connection to one replica only, and to every replica after the offer has expired', async ({
    a,
    b,
    replica,
    wait,
    ttlMs,
  }) => {
    const claims = await a.claim(['c1', 'c2']);
    await a.release(claims.map(({ id, token }) => ({ id, token, offer: { to: 'b', forMs: ttlMs } })));
    assert.deepEqual(await replica('x').claim(['c1', 'c2']), []);
    assert.deepEqual(await a.claim(['c1', 'c2']), []);
    assert.deepEqual(ids(await b.claim(['c1'])), ['c1']);
    await wait(ttlMs * 1.1);
    assert.deepEqual(ids(await replica('x').claim(['c2'])), ['c2']);
  });

  test('claims offered connections first', async ({ a, b, ttlMs }) => {
    const claims = await a.claim(['c1', 'c2', 'c3']);
    await a.release(
      claims.map(({ id, token }) => (id === 'c3' ? { id, token, offer: { to: 'b', forMs: ttlMs } } : { id, token })),
    );
    assert.deepEqual(ids(await b.claim(['c0', 'c1', 'c2', 'c3'], { limit: 1 })), ['c3']);
  });

  test('keeps a withheld connection from one replica only, for a time', async ({ a, b, wait, ttlMs }) => {
    const [c1, c2] = await a.claim(['c1', 'c2']);
    await a.release([{ ...c1!, offer: { notTo: 'a', forMs: ttlMs } }, { ...c2!, offer: { notTo: 'a', forMs: ttlMs } }]);
    assert.deepEqual(await a.claim(['c1', 'c2']), []);
    assert.deepEqual(ids(await b.claim(['c1'])), ['c1']);
    await wait(ttlMs * 1.1);
    assert.deepEqual(ids(await a.claim(['c2'])), ['c2']);
  });

  test('forgets an offer when the connection is claimed', async ({ a, b, replica, ttlMs }) => {
    const claim = only(await a.claim(['c1']));
    await a.release([{ ...claim, offer: { to: 'b', forMs: 100 * ttlMs } }]);
    const taken = only(await b.claim(['c1']));
    await b.release([taken]);
    assert.deepEqual(ids(await replica('x').claim(['c1'])), ['c1']);
  });

  test('with freeForMs, gives only connections that have been free for that long', async ({ a, b, wait, ttlMs }) => {
    const [c1, c2] = await a.claim(['c1', 'c2']);
    await a.release([c1!]);
    assert.deepEqual(await b.claim(['c1'], { freeForMs: ttlMs * 0.5 }), []);
    await wait(ttlMs * 0.7);
    await a.renew([c2!]);
    assert.deepEqual(ids(await b.claim(['c1', 'c2'], { freeForMs: ttlMs * 0.5 })), ['c1']);
    await wait(ttlMs * 1.1);
    assert.deepEqual(await b.claim(['c2'], { freeForMs: ttlMs * 0.5 }), [], 'an expired claim is free since it expired');
    await wait(ttlMs * 0.6);
    assert.deepEqual(ids(await b.claim(['c2'], { freeForMs: ttlMs * 0.5 })), ['c2']);
  });

  if (capabilities.watch !== true) return;
  const patienceMs = capabilities.hintTimeoutMs ?? 5_000;

  test('reports each release and each leaving replica to every watcher', async ({ a, b, claims, others, wait }) => {
    const hints: ClaimHint[] = [];
    const hear = (hint: ClaimHint): void => { if (hint.from !== '') hints.push(hint); };
    const watching = await Promise.all([claims, others].map((store) => promised(store.watch, 'watch').call(store, hear)));
    try {
      const until = async (count: number): Promise<void> => {
        for (let waited = 0; hints.length < count && waited < patienceMs; waited += 20) await wait(20);
      };
      await a.release([only(await a.claim(['c1']))]);
      await until(2);
      assert.deepEqual(hints, [{ from: 'a', left: false }, { from: 'a', left: false }]);
      await b.renew([]);
      await b.release([], { leave: true });
      await until(4);
      assert.deepEqual(hints.slice(2), [{ from: 'b', left: true }, { from: 'b', left: true }]);
    } finally {
      await Promise.all(watching.map((one) => one[Symbol.asyncDispose]()));
    }
  });
}
