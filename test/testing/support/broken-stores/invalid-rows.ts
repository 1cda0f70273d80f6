import { ConnectionError } from 'hydrant';
import { many, mapped, reads, versions, without, type BrokenStore } from './broken-store.js';

const INVALID = 'invalid rows: get rejects with INVALID_RECORD, without the contents of the row';
const INVALID_BATCH = 'invalid rows: one does not fail the other rows of a batch';
const PUT_RIGHT = 'invalid rows: a repaired row is a record again';

/** Stores that are wrong about rows that are no records. */
export const WRONG_INVALID_ROWS: readonly BrokenStore[] = [
  {
    name: 'takes an invalid row for missing',
    caughtBy: INVALID,
    change: reads((good, id) => good.get(id).catch(() => undefined)),
  },
  {
    name: 'fails at an invalid row without a code',
    caughtBy: INVALID,
    change: reads((good, id) =>
      good.get(id).catch(() => {
        throw new SyntaxError('unexpected token x in JSON');
      }),
    ),
  },
  {
    name: 'fails at an invalid row with another code',
    caughtBy: INVALID,
    change: reads((good, id) =>
      good.get(id).catch(() => {
        throw new ConnectionError('STORE_UNAVAILABLE', 'no row', { connectionId: id });
      }),
    ),
  },
  {
    name: 'does not say which row is invalid',
    caughtBy: INVALID,
    change: reads((good, id) =>
      good.get(id).catch(() => {
        throw new ConnectionError('INVALID_RECORD', 'no record');
      }),
    ),
  },
  {
    name: 'fails at a batch with an invalid row',
    caughtBy: INVALID_BATCH,
    change: many(async (good, ids) => {
      for (const id of ids) await good.get(id);
      return good.getMany(ids);
    }),
  },
  {
    name: 'leaves invalid rows out of a batch',
    caughtBy: INVALID_BATCH,
    change: many(async (good, ids) => without(await good.getMany(ids), (row: any) => row instanceof Error)),
  },
  {
    name: 'gives an invalid row in a batch as it is',
    caughtBy: INVALID_BATCH,
    change: many(async (good, ids) => mapped(await good.getMany(ids), (row: any, id) => (row instanceof Error ? { id } : row))),
  },
  {
    name: 'gives an error without a code in a batch',
    caughtBy: INVALID_BATCH,
    change: many(async (good, ids) =>
      mapped(await good.getMany(ids), (row: any) =>
        row instanceof Error ? new ConnectionError('STORE_UNAVAILABLE', 'no row') : row,
      ),
    ),
  },
  {
    name: 'fails at versions with an invalid row',
    caughtBy: INVALID_BATCH,
    change: versions(async (good, ids) => {
      for (const id of ids) await good.get(id);
      return good.getVersions(ids);
    }),
  },
  {
    name: 'has versions up to an invalid row',
    caughtBy: INVALID_BATCH,
    change: versions(async (good, ids) => without(await good.getVersions(ids), (_version, id) => id === 'connection3')),
  },
  {
    name: 'has versions from an invalid row on',
    caughtBy: INVALID_BATCH,
    change: versions(async (good, ids) => without(await good.getVersions(ids), (_version, id) => id === 'connection1')),
  },
  {
    name: 'has versions of what is not there, beside an invalid row',
    caughtBy: INVALID_BATCH,
    change: versions(async (good, ids) => new Map(ids.map((id) => [id, '1']))),
  },
  {
    name: 'brings back the old version of a row that is put right',
    caughtBy: PUT_RIGHT,
    change: (good) => {
      const before = new Map<string, unknown>();
      return {
        writeInvalid: async (id) => {
          before.set(id, (await good.get(id))?.version);
          await good.writeInvalid(id);
        },
        store: {
          get: async (id) => {
            const row = await good.get(id);
            return row && { ...row, version: (before.get(id) ?? row.version) as string };
          },
        },
      };
    },
  },
  {
    name: 'keeps the version of a row that has become invalid',
    caughtBy: PUT_RIGHT,
    change: (good) => {
      const before = new Map<string, string>();
      return {
        writeInvalid: async (id) => {
          before.set(id, String((await good.get(id))?.version));
          await good.writeInvalid(id);
        },
        store: {
          getVersions: async (ids) =>
            new Map([...(await good.getVersions(ids))].map(([id, version]) => [id, before.get(id) ?? version])),
        },
      };
    },
  },
  {
    name: 'never takes an invalid row for a record again',
    caughtBy: PUT_RIGHT,
    change: (good) => {
      const invalid = new Set<string>();
      return {
        writeInvalid: async (id) => {
          invalid.add(id);
        },
        store: {
          get: async (id) => {
            if (invalid.has(id)) throw new ConnectionError('INVALID_RECORD', 'no record', { connectionId: id });
            return good.get(id);
          },
        },
      };
    },
  },
];
