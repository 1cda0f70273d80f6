import type { ConnectionRecord } from 'hydrant';
import { many, versions, type BrokenStore } from './broken-store.js';

const ODD_BATCH = 'ids: an odd id does not fail the other ids of a batch';
const ODD_AGAIN = 'ids: an odd id finds its own row and no other';
const ODD_UNKNOWN = 'ids: an unknown odd id is undefined, not an error';

/** Stores that are wrong about odd ids. */
export const WRONG_IDS: readonly BrokenStore[] = [
  {
    name: 'fails at versions of a batch with an odd id',
    caughtBy: ODD_BATCH,
    change: versions(async (good, ids) => {
      if (ids.includes('__proto__')) throw new Error('invalid byte sequence');
      return good.getVersions(ids);
    }),
    capabilities: { getMany: false },
  },
  {
    name: 'fails at a batch with an odd id, and has no versions',
    caughtBy: ODD_BATCH,
    change: many(async (good, ids) => {
      if (ids.includes('__proto__')) throw new Error('invalid byte sequence');
      return good.getMany(ids);
    }),
    capabilities: { getVersions: false },
  },
  {
    name: 'finds odd ids in a batch',
    caughtBy: ODD_BATCH,
    change: many(
      async (good, ids) =>
        new Map([...(await good.getMany(ids)), ...ids.filter((id) => id === '*').map((id) => [id, undefined] as const)]),
    ),
  },
  {
    name: 'finds versions of odd ids',
    caughtBy: ODD_BATCH,
    change: versions(
      async (good, ids) =>
        new Map([...(await good.getVersions(ids)), ...ids.filter((id) => id === '*').map((id) => [id, '1'] as const)]),
    ),
  },
  {
    name: 'compares ids without case in a batch',
    caughtBy: ODD_AGAIN,
    change: many(async (good, ids) => {
      const found = await good.getMany(ids.map((id) => id.toLowerCase()));
      return new Map(ids.flatMap((id) => (found.has(id.toLowerCase()) ? [[id, found.get(id.toLowerCase())]] : [])));
    }),
  },
  {
    name: 'deletes nothing with a capital in its id',
    caughtBy: ODD_AGAIN,
    change: (good) => ({
      remove: async (id) => {
        if (id === id.toLowerCase()) await good.remove(id);
      },
    }),
  },
  {
    name: 'deletes without case',
    caughtBy: ODD_AGAIN,
    change: (good) => ({
      remove: async (id) => {
        await good.remove(id);
        await good.remove(id.toLowerCase());
      },
    }),
  },
  {
    name: 'compares ids without case',
    caughtBy: ODD_AGAIN,
    change: (good) => ({
      write: (id, row) => good.write(id.toLowerCase(), row),
      store: {
        get: async (id) => {
          const row = await good.get(id.toLowerCase());
          return row && { ...row, id };
        },
      },
    }),
  },
  {
    name: 'fails at a batch with one odd id',
    caughtBy: ODD_BATCH,
    change: many(async (good, ids) => {
      if (ids.some((id) => id.includes('/'))) throw new Error('invalid byte sequence');
      return good.getMany(ids);
    }),
  },
  {
    name: 'trusts plain objects with ids',
    caughtBy: ODD_UNKNOWN,
    change: (good) => {
      const rows: Record<string, ConnectionRecord | undefined> = {};
      return {
        write: async (id, row) => {
          await good.write(id, row);
          rows[id] = await good.get(id);
        },
        store: { get: async (id) => rows[id] },
      };
    },
  },
];
