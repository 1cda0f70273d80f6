import assert from 'node:assert/strict';
import { onNextTurn } from '../../clock.js';
import { existing, promised, versionOf, type Suite } from './harness.js';

/** Remembers the meaning of each version of one id, and fails when it changes. */
class Meanings {
  readonly #known = new Map<string, string>();

  note(version: string, meaning: string): void {
    const known = this.#known.get(version) ?? meaning;
    assert.equal(known, meaning, `version ${version} stands for two different rows`);
    this.#known.set(version, meaning);
  }
}

/** Tests of the rule that replicas rely on: equal versions of one id mean equal configuration and status. */
export function versionTests({ test, id, capabilities }: Suite): void {
  test('versions: reading does not change them', async ({ store, write }) => {
    await write(id(1), { status: 'active', config: 'a' });
    const version = await versionOf(store, id(1));
    assert.equal(await versionOf(store, id(1)), version);
    await write(id(2), { status: 'active', config: 'b' });
    assert.equal(await versionOf(store, id(1)), version, 'another row was written, not this one');
  });

  test('versions: every edit, stop and start makes a new one', async ({ store, write }) => {
    const meanings = new Meanings();
    const rows = [
      ['active', 'a'],
      ['active', 'b'],
      ['stopped', 'b'],
      ['active', 'b'],
      ['active', 'a'],
      ['stopped', 'a'],
    ] as const;
    for (const [status, config] of rows) {
      await write(id(1), { status, config });
      meanings.note(await versionOf(store, id(1)), `${status} ${config}`);
    }
  });

  test('versions: equal versions mean equal configuration and status, also after delete and recreate', async ({
    store,
    write,
    remove,
  }) => {
    const meanings = new Meanings();
    for (let n = 0; n < 5; n += 1) {
      for (const config of ['the same', `changed ${n}`]) {
        await write(id(1), { status: 'active', config });
        meanings.note(await versionOf(store, id(1)), config);
      }
      await remove(id(1));
    }
  });

  if (capabilities.counter === true) {
    test('versions: a counter never repeats one, not even after delete and recreate', async ({ store, write, remove }) => {
      const seen: string[] = [];
      for (let n = 0; n < 5; n += 1) {
        for (const config of ['the same', `changed ${n}`]) {
          await write(id(1), { status: 'active', config });
          seen.push(await versionOf(store, id(1)));
        }
        await remove(id(1));
      }
      assert.equal(new Set(seen).size, seen.length, `versions in order: ${seen.join(', ')}`);
    });
  }

  test('versions: one version means one configuration while many write', async ({ store, write, remove, configOf }) => {
    const meanings = new Meanings();
    const progress = { writing: true };
    const note = async (): Promise<void> => {
      while (progress.writing) {
        const record = await store.get(id(1));
        if (record !== undefined) meanings.note(String(record.version), `${record.status} ${configOf(record)}`);
        await new Promise<void>(onNextTurn);
      }
    };
    const edit = async (writer: number): Promise<void> => {
      for (let n = 0; n < 10; n += 1) {
        await write(id(1), { status: n % 2 === 0 ? 'active' : 'stopped', config: `writer ${writer}, ${n}` });
        if (n % 5 === 4) await remove(id(1));
      }
    };
    const writers = Promise.all([edit(1), edit(2), edit(3)]).finally(() => { progress.writing = false; });
    for (const outcome of await Promise.allSettled([note(), note(), writers]))
      if (outcome.status === 'rejected') throw outcome.reason;
  });

  if (capabilities.getVersions === true) {
    test('versions: getVersions agrees with get', async ({ store, write, remove }) => {
      const getVersions = promised(store.getVersions, 'getVersions').bind(store);
      for (let n = 0; n < 4; n += 1) await write(id(n), { status: n === 2 ? 'stopped' : 'active', config: 'a' });
      await write(id(1), { status: 'active', config: 'b' });
      await remove(id(3));
      const ids = [0, 1, 2, 3, 4].map((n) => id(n));
      const versions = await getVersions([...ids, id(0)]);
      assert.deepEqual(
        [...versions.keys()].toSorted(),
        [id(0), id(1), id(2)].toSorted(),
        'an id that is missing from the map does not exist',
      );
      for (const n of [0, 1, 2]) assert.equal(String(versions.get(id(n))), await versionOf(store, id(n)));
      assert.equal((await getVersions([])).size, 0);
    });

    test('versions: a getVersions that begins after a write was committed sees it', async ({ store, write, remove }) => {
      const getVersions = promised(store.getVersions, 'getVersions').bind(store);
      for (let n = 0; n < 10; n += 1) {
        const earlier = getVersions([id(1)]);
        await write(id(1), { status: 'active', config: `edit ${n}` });
        assert.equal(String((await getVersions([id(1)])).get(id(1))), await versionOf(store, id(1)));
        await earlier;
      }
      await remove(id(1));
      assert.equal((await getVersions([id(1)])).has(id(1)), false);
    });
  }

  if (capabilities.bookkeeping === true) {
    test('versions: bookkeeping does not change them', async ({ store, write, bookkeep }) => {
      await write(id(1), { status: 'active', config: 'a' });
      const version = await versionOf(store, id(1));
      await promised(bookkeep, 'bookkeep')(id(1));
      assert.equal(await versionOf(store, id(1)), version);
    });
  }

  if (capabilities.touch === true) {
    test('versions: touch makes a new version and changes nothing else', async ({ store, write, touch, configOf }) => {
      await write(id(1), { status: 'active', config: 'a' });
      const version = await versionOf(store, id(1));
      await promised(touch, 'touch')(id(1));
      const record = await existing(store, id(1));
      assert.notEqual(String(record.version), version);
      assert.deepEqual([record.status, configOf(record)], ['active', 'a']);
      await promised(touch, 'touch')(id(2));
      assert.equal(await store.get(id(2)), undefined, 'touch creates nothing');
    });
  }
}
