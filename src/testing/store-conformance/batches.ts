import assert from 'node:assert/strict';
import { isConnectionError } from '../../errors.js';
import { existing, promised, versionOf, type Suite } from './harness.js';

/** `getMany` must do for many ids what `get` does for one. */
export function batchTests({ test, id, capabilities }: Suite): void {
  if (capabilities.getMany === true) {
    test('getMany: returns the known ids only', async ({ store, write, remove, configOf }) => {
      const getMany = promised(store.getMany, 'getMany').bind(store);
      for (let n = 0; n < 4; n += 1) await write(id(n), { status: n === 2 ? 'stopped' : 'active', config: `config ${n}` });
      await remove(id(3));
      const records = await getMany([id(4), id(2), id(0), id(3), id(1), id(0)]);
      const known = [id(0), id(1), id(2)].toSorted();
      assert.deepEqual([...records.keys()].toSorted(), known, 'an id that is missing from the map does not exist');
      for (const n of [0, 1, 2]) {
        const record = records.get(id(n));
        assert.ok(record !== undefined);
        assert.deepEqual(
          { id: record.id, status: record.status, config: configOf(record), version: String(record.version) },
          { id: id(n), status: n === 2 ? 'stopped' : 'active', config: `config ${n}`, version: await versionOf(store, id(n)) },
        );
      }
      assert.equal((await getMany([])).size, 0);
    });

    test('getMany: a read that begins after a write was committed sees it', async ({ store, write, configOf }) => {
      const getMany = promised(store.getMany, 'getMany').bind(store);
      for (let n = 0; n < 10; n += 1) {
        const earlier = getMany([id(1), id(2)]);
        await write(id(1), { status: 'active', config: `edit ${n}` });
        const record = (await getMany([id(1), id(2)])).get(id(1));
        assert.equal(record === undefined ? undefined : configOf(record), `edit ${n}`);
        await earlier;
      }
    });

    test('getMany and getVersions: a thousand ids', async ({ store, write }) => {
      const ids = Array.from({ length: 1_000 }, (_, n) => id(n));
      for (const each of ids.slice(0, 50)) await write(each, { status: 'active', config: 'a' });
      assert.equal((await promised(store.getMany, 'getMany').call(store, ids)).size, 50);
      if (store.getVersions !== undefined) assert.equal((await store.getVersions(ids)).size, 50);
    });
  }

  if (capabilities.invalidRows === true) {
    test('invalid rows: get rejects with INVALID_RECORD, without the contents of the row', async ({ store, writeInvalid }) => {
      await promised(writeInvalid, 'writeInvalid')(id(1));
      const isAboutTheRow = (error: unknown): boolean =>
        isConnectionError(error, 'INVALID_RECORD') && error.connectionId === id(1);
      await assert.rejects(store.get(id(1)), isAboutTheRow);
    });

    test('invalid rows: one does not fail the other rows of a batch', async ({ store, write, writeInvalid }) => {
      await write(id(1), { status: 'active', config: 'a' });
      await promised(writeInvalid, 'writeInvalid')(id(2));
      await write(id(3), { status: 'active', config: 'c' });
      const ids = [id(1), id(2), id(3), id(4)];
      if (store.getMany !== undefined) {
        const records: ReadonlyMap<string, unknown> = await store.getMany(ids);
        assert.deepEqual([...records.keys()].toSorted(), [id(1), id(2), id(3)].toSorted());
        assert.ok(isConnectionError(records.get(id(2)), 'INVALID_RECORD'), 'the error stands in the place of the record');
      }
      if (store.getVersions !== undefined) {
        const versions = await store.getVersions(ids);
        assert.ok(versions.has(id(1)) && versions.has(id(3)) && !versions.has(id(4)));
      }
    });

    test('invalid rows: a repaired row is a record again', async ({ store, write, writeInvalid, configOf }) => {
      await write(id(1), { status: 'active', config: 'before' });
      const before = await versionOf(store, id(1));
      await promised(writeInvalid, 'writeInvalid')(id(1));
      const invalid = (await store.getVersions?.([id(1)]))?.get(id(1));
      assert.notEqual(String(invalid), before, 'an invalid row has no version that a valid one had');
      await write(id(1), { status: 'active', config: 'after' });
      const record = await existing(store, id(1));
      assert.equal(configOf(record), 'after');
      assert.notEqual(String(record.version), before);
    });
  }
}
