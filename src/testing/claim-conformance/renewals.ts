import assert from 'node:assert/strict';
import type { RenewResult } from '../../exclusive/claims/contract.js';
import { ids, only, type ClaimSuite } from './harness.js';

const loadOf = (name: string, { members }: RenewResult): number | undefined =>
  members.find(({ replica }) => replica === name)?.load;

/** The effects and the answer of a heartbeat. */
export function renewalTests({ test }: ClaimSuite): void {
  test('renews for the full time, counted from the renewal', async ({ a, b, wait, ttlMs }) => {
    const claim = only(await a.claim(['c1']));
    for (let beat = 0; beat < 3; beat += 1) {
      await wait(ttlMs * 0.6);
      assert.deepEqual((await a.renew([claim])).renewed, ['c1']);
    }
    assert.deepEqual(await b.claim(['c1']), []);
    await wait(ttlMs * 1.1);
    assert.equal((await b.claim(['c1'])).length, 1);
  });

  test('never renews an expired claim, even if no replica has taken it', async ({ a, b, wait, ttlMs }) => {
    const claim = only(await a.claim(['c1']));
    await wait(ttlMs * 1.1);
    const { renewed, lost } = await a.renew([claim]);
    assert.deepEqual(renewed, []);
    assert.deepEqual(lost, ['c1']);
    assert.equal((await b.claim(['c1'])).length, 1);
  });

  test('renews held claims and reports lost ones in one call', async ({ a, b }) => {
    const [c1, c2, c3] = await a.claim(['c1', 'c2', 'c3']);
    await a.release([c2!]);
    await b.claim(['c2']);
    const { renewed, lost } = await a.renew([c1!, c2!, { id: 'c3', token: c3!.token + 1n }, { id: 'unseen', token: 1n }]);
    assert.deepEqual(renewed, ['c1']);
    assert.deepEqual(ids(lost), ['c2', 'c3', 'unseen']);
  });

  test('reports claims that a replica owns without knowing, with their tokens', async ({ a, b, wait, ttlMs }) => {
    const [c1, c2] = await a.claim(['c1', 'c2']);
    await b.claim(['c3']);
    const { strays } = await a.renew([c1!]);
    assert.deepEqual(strays, [{ id: 'c2', token: c2!.token }]);
    await a.release(strays);
    assert.deepEqual((await a.renew([c1!])).strays, []);
    await a.claim(['c4']);
    await wait(ttlMs * 1.1);
    assert.deepEqual((await a.renew([])).strays, [], 'what has expired is nobody’s');
  });

  test('names the living replicas and their loads', async ({ a, b }) => {
    assert.deepEqual((await a.renew([], { load: 3 })).members, [{ replica: 'a', load: 3 }]);
    const { members } = await b.renew([], { load: 5 });
    assert.deepEqual(
      members.toSorted((x, y) => (x.replica < y.replica ? -1 : 1)),
      [
        { replica: 'a', load: 3 },
        { replica: 'b', load: 5 },
      ],
    );
    assert.equal(loadOf('b', await b.renew([], { load: -1 })), -1, 'a load may be -1');
    const seen = await a.renew([], { load: 4 });
    assert.deepEqual([loadOf('a', seen), loadOf('b', seen)], [4, -1]);
  });

  test('does not count a replica that has not renewed in its time, nor one that has left', async ({ a, b, wait, ttlMs }) => {
    await a.renew([]);
    await wait(ttlMs * 1.1);
    assert.deepEqual((await b.renew([])).members.map(({ replica }) => replica), ['b']);
    await a.renew([]);
    await a.release([], { leave: true });
    assert.deepEqual((await b.renew([])).members.map(({ replica }) => replica), ['b']);
  });

  test('renews for a leaving replica without counting it', async ({ a, b }) => {
    const claim = only(await a.claim(['c1']));
    await a.renew([]);
    await a.release([], { leave: true });
    const { renewed, members } = await a.renew([claim], { member: false });
    assert.deepEqual(renewed, ['c1']);
    assert.deepEqual(members, []);
    assert.deepEqual((await b.renew([])).members.map(({ replica }) => replica), ['b']);
  });
}
