import { kept, many, mapped, shared, versions, without, type BrokenStore } from './broken-store.js';

const BATCH = 'getMany: returns the known ids only';
const BATCH_SEES = 'getMany: a read that begins after a write was committed sees it';
const THOUSAND = 'getMany and getVersions: a thousand ids';

/** Stores whose batches are wrong. */
export const WRONG_BATCHES: readonly BrokenStore[] = [
  {
    name: 'fails at an empty batch',
    caughtBy: BATCH,
    change: many(async (good, ids) => {
      if (ids.length === 0) throw new Error('syntax error at or near ")"');
      return good.getMany(ids);
    }),
  },
  {
    name: 'gives everything for an empty batch',
    caughtBy: BATCH,
    change: many(async (good, ids) => good.getMany(ids.length === 0 ? ['connection0'] : ids)),
  },
  {
    name: 'finds deleted rows in a batch',
    caughtBy: BATCH,
    change: (good) => {
      const all = new Map<string, any>();
      return {
        store: {
          getMany: async (ids) => {
            for (const id of ids) all.set(id, all.get(id) ?? (await good.get(id)) ?? { id });
            return all;
          },
        },
      };
    },
  },
  {
    name: 'calls rows by another name in a batch',
    caughtBy: BATCH,
    change: many(async (good, ids) => mapped(await good.getMany(ids), (row, id) => ({ ...row, id: `id:${id}` }))),
  },
  {
    name: 'takes every row for active in a batch',
    caughtBy: BATCH,
    change: many(async (good, ids) => mapped(await good.getMany(ids), (row) => ({ ...row, status: 'active' }))),
  },
  {
    name: 'mixes up configurations in a batch',
    caughtBy: BATCH,
    change: many(async (good, ids) => mapped(await good.getMany(ids), (row) => ({ ...row, config: 'config 0' }))),
  },
  {
    name: 'has other versions in a batch',
    caughtBy: BATCH,
    change: many(async (good, ids) => mapped(await good.getMany(ids), (row) => ({ ...row, version: `${row.version}.0` }))),
  },
  {
    name: 'leaves a row out of a batch where its id is asked for twice',
    caughtBy: BATCH,
    change: many(async (good, ids) => without(await good.getMany(ids), (_row, id) => ids.filter((one) => one === id).length > 1)),
  },
  {
    name: 'keeps what it read in a batch',
    caughtBy: BATCH_SEES,
    change: (good) => ({ store: { getMany: kept((ids: readonly string[]) => good.getMany(ids)) } }),
  },
  {
    name: 'shares a batch that began earlier',
    caughtBy: BATCH_SEES,
    change: (good) => ({ store: { getMany: shared((ids: readonly string[]) => good.getMany(ids)) } }),
  },
  {
    name: 'reads no more than a batch of five hundred',
    caughtBy: THOUSAND,
    change: many((good, ids) => {
      if (ids.length > 500) throw new Error('too many parameters');
      return good.getMany(ids);
    }),
  },
  { name: 'reads the first of a large batch', caughtBy: THOUSAND, change: many((good, ids) => good.getMany(ids.slice(0, 40))) },
  {
    name: 'reads versions of the first of a large batch',
    caughtBy: THOUSAND,
    change: versions((good, ids) => good.getVersions(ids.slice(0, 40))),
  },
  {
    name: 'puts missing ids into the map',
    caughtBy: BATCH,
    change: many(async (good, ids) => new Map(await Promise.all(ids.map(async (id) => [id, await good.get(id)] as const)))),
  },
];
