import assert from 'node:assert/strict';
import { promised } from '../store-conformance/harness.js';
import { ids, only, type ClaimSuite } from './harness.js';

/** Renewals in which a store must have found a row to forget. */
const MOST_RENEWALS = 100;
const HOUR_MS = 3_600_000;

/** Rows of connections that are not listed any more, and clocks that are set back. */
export function forgettingTests({ test, capabilities, ttlMs }: ClaimSuite): void {
  if (capabilities.forgets === true) {
    const forgetAfterMs = ttlMs / 2;
    test('forgets a connection that nobody owns, keeps one that is owned, and never repeats a token', async (context) => {
      const { a, b, wait } = context;
      const rows = promised(context.rows, 'rows').bind(context);
      const gone = only(await a.claim(['gone']));
      const kept = only(await b.claim(['kept'], { ttlMs: 100 * ttlMs }));
      await a.release([{ ...gone, notes: 'of long ago' }]);
      assert.equal(await rows(), 2, 'a connection is remembered at first');
      await wait(forgetAfterMs * 1.1);
      for (let beat = 0; await rows() > 1 && beat < MOST_RENEWALS; beat += 1) {
        await b.renew([kept], { ttlMs: 100 * ttlMs });
        // Nothing may wait for the clean-up, so it may end after the renewal.
        await wait(ttlMs / 100);
      }
      assert.equal(await rows(), 1);
      assert.deepEqual((await b.renew([kept])).renewed, ['kept']);
      assert.deepEqual((await a.renew([gone])).lost, ['gone']);
      await a.release([gone]);
      const again = only(await a.claim(['gone']));
      assert.ok(again.token > gone.token, `token ${again.token} came after ${gone.token}`);
      assert.equal(again.notes, undefined);
    }, { forgetAfterMs });
  }

  if (capabilities.clockSetBack !== true) return;

  test('ends the claim and membership of a dead owner one TTL after the clock was set back', async (context) => {
    const { a, b, wait } = context;
    await a.renew([only(await a.claim(['c1']))]);
    await promised(context.setClockBack, 'setClockBack').call(context, HOUR_MS);
    assert.deepEqual(await b.claim(['c1']), [], 'its owner may be alive');
    await b.renew([]);
    await wait(ttlMs * 1.1);
    assert.deepEqual((await b.renew([])).members.map(({ replica }) => replica), ['b']);
    assert.deepEqual(ids(await b.claim(['c1'])), ['c1']);
  });

  test('keeps the claim of a living owner when the clock is set back', async (context) => {
    const { a, b, wait } = context;
    const claim = only(await a.claim(['c1']));
    await promised(context.setClockBack, 'setClockBack').call(context, HOUR_MS);
    for (let beat = 0; beat < 5; beat += 1) {
      assert.deepEqual(await b.claim(['c1']), []);
      assert.deepEqual((await a.renew([claim])).renewed, ['c1']);
      await wait(ttlMs * 0.4);
    }
  });

  test('frees released connections and ends offers when the clock is set back', async (context) => {
    const { a, b, wait } = context;
    const [c1, c2] = await a.claim(['c1', 'c2']);
    await a.release([c1!, { ...c2!, offer: { to: 'dead', forMs: ttlMs } }]);
    await promised(context.setClockBack, 'setClockBack').call(context, HOUR_MS);
    const taken = [...await b.claim(['c1', 'c2'])];
    await wait(ttlMs * 1.1);
    taken.push(...await b.claim(['c1', 'c2']));
    assert.deepEqual([...new Set(ids(taken))], ['c1', 'c2']);
  });
}
