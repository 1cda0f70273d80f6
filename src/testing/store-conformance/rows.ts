import assert from 'node:assert/strict';
import { MAX_ID_LENGTH } from '../../ids.js';
import { existing, type Suite } from './harness.js';

/** The contract of `get`. */
export function rowTests({ test, id }: Suite): void {
  test('get: an unknown id is undefined', async ({ store }) => {
    assert.equal(await store.get(id(0)), undefined);
  });

  test('get: returns the row with its id, its status and a version', async ({ store, write, configOf }) => {
    await write(id(1), { status: 'active', config: 'one' });
    await write(id(2), { status: 'stopped', config: 'two' });
    const [first, second] = [await existing(store, id(1)), await existing(store, id(2))];
    assert.deepEqual([first.id, first.status, configOf(first)], [id(1), 'active', 'one']);
    assert.deepEqual([second.id, second.status, configOf(second)], [id(2), 'stopped', 'two']);
    for (const { version } of [first, second])
      assert.ok(['string', 'number', 'bigint'].includes(typeof version), 'a version is a string, a number or a bigint');
  });

  test('get: a read that begins after a write was committed sees it', async ({ store, write, remove, configOf }) => {
    for (let n = 0; n < 25; n += 1) {
      // A read that is under way meanwhile must not lend its answer to one that begins later.
      const earlier = [store.get(id(1)), store.get(id(1))];
      await write(id(1), { status: 'active', config: `edit ${n}` });
      assert.equal(configOf(await existing(store, id(1))), `edit ${n}`);
      await Promise.all(earlier);
    }
    await write(id(1), { status: 'stopped', config: 'stop' });
    assert.equal((await existing(store, id(1))).status, 'stopped');
    await remove(id(1));
    assert.equal(await store.get(id(1)), undefined);
    await write(id(1), { status: 'active', config: 'again' });
    assert.equal(configOf(await existing(store, id(1))), 'again');
  });

  test('get: deleting a row leaves the others, and deleting an unknown row does nothing', async ({ store, write, remove }) => {
    await write(id(1), { status: 'active', config: 'a' });
    await write(id(2), { status: 'active', config: 'b' });
    await remove(id(1));
    await remove(id(3));
    assert.equal(await store.get(id(1)), undefined);
    await existing(store, id(2));
  });

  test('get: many at a time, and with a signal', async ({ store, write, configOf }) => {
    const ids = Array.from({ length: 20 }, (_, n) => id(n));
    await Promise.all(ids.map((each) => write(each, { status: 'active', config: `config of ${each}` })));
    const { signal } = new AbortController();
    const records = await Promise.all([...ids, ...ids, ...ids].map((each) => store.get(each, { signal })));
    records.forEach((record, n) =>
      assert.equal(record === undefined ? undefined : configOf(record), `config of ${ids[n % ids.length]}`),
    );
  });
}

const ODD_IDS = [
  "o'clock",
  'say "hi"',
  'semi;colon',
  'back\\slash',
  'per%cent',
  'under_score',
  '{braces}',
  '{a,b}',
  '$1',
  '*',
  ' space ',
  'new\nline',
  'Grüße',
  '東京',
  '🙂',
  '\u00e9',
  'e\u0301',
  'UPPER',
  'upper',
  '__proto__',
  'constructor',
  'null',
  '0',
  '-1',
  '../up',
  'a/b',
  'x'.repeat(512),
] as const;

/** Ids come from URLs. A registry asks a store for 1 to `MAX_ID_LENGTH` characters without NUL, and most of them are unknown. */
export function oddIdTests({ test, id, capabilities }: Suite): void {
  const unknown = [...ODD_IDS, '\ud800', 'x'.repeat(MAX_ID_LENGTH)];

  test('ids: an unknown odd id is undefined, not an error', async ({ store }) => {
    for (const odd of unknown) assert.equal(await store.get(odd), undefined, JSON.stringify(odd.slice(0, 40)));
  });

  if (capabilities.getMany === true || capabilities.getVersions === true) {
    test('ids: an odd id does not fail the other ids of a batch', async ({ store, write }) => {
      await write(id(1), { status: 'active', config: 'a' });
      const ids = [...unknown, id(1)];
      for (const found of [await store.getMany?.(ids), await store.getVersions?.(ids)]) {
        if (found !== undefined) assert.deepEqual([...found.keys()], [id(1)]);
      }
    });
  }

  if (capabilities.anyId ?? capabilities.makeId === undefined) {
    test('ids: an odd id finds its own row and no other', async ({ store, write, remove, configOf }) => {
      for (const odd of ODD_IDS) await write(odd, { status: 'active', config: `config of ${odd}` });
      for (const odd of ODD_IDS) assert.equal(configOf(await existing(store, odd)), `config of ${odd}`);
      if (store.getMany !== undefined) {
        const found = await store.getMany(ODD_IDS);
        for (const odd of ODD_IDS) assert.equal(found.get(odd)?.id, odd);
      }
      await remove('UPPER');
      assert.equal(await store.get('UPPER'), undefined);
      await existing(store, 'upper');
    });
  }
}
