import type { ConnectionRecord } from 'hydrant';
import { kept, reading, reads, shared, type BrokenStore } from './broken-store.js';

const ROW = 'get: returns the row with its id, its status and a version';
const DELETED = 'get: deleting a row leaves the others, and deleting an unknown row does nothing';
const MANY_GETS = 'get: many at a time, and with a signal';
const UNKNOWN = 'get: an unknown id is undefined';
const SEES = 'get: a read that begins after a write was committed sees it';

/** Stores whose `get` or `delete` is wrong. */
export const WRONG_ROWS: readonly BrokenStore[] = [
  { name: 'calls rows by another name', caughtBy: ROW, change: reading((row) => ({ ...row, id: `id:${row.id}` })) },
  { name: 'takes every row for active', caughtBy: ROW, change: reading((row) => ({ ...row, status: 'active' })) },
  { name: 'takes every row for stopped', caughtBy: ROW, change: reading((row) => ({ ...row, status: 'stopped' })) },
  {
    name: 'gives every row the configuration of the first',
    caughtBy: ROW,
    change: (good) => {
      let first: any;
      return {
        store: {
          get: async (id) => {
            const row = await good.get(id);
            first ??= row;
            return row && { ...first, ...row, config: first.config };
          },
        },
      };
    },
  },
  {
    name: 'gives a date for a version',
    caughtBy: ROW,
    change: reading((row) => ({ ...row, version: new Date(Number(row.version)) })),
  },
  { name: 'gives no version', caughtBy: ROW, change: reading(({ version: _version, ...row }) => row) },
  {
    name: 'deletes the others as well',
    caughtBy: DELETED,
    change: (good) => {
      const written = new Set<string>();
      return {
        write: (id, row) => {
          written.add(id);
          return good.write(id, row);
        },
        remove: async () => {
          for (const id of written) await good.remove(id);
        },
      };
    },
  },
  { name: 'deletes nothing', caughtBy: DELETED, change: () => ({ remove: async () => {} }) },
  {
    name: 'fails at the deletion of what is not there',
    caughtBy: DELETED,
    change: (good) => ({
      remove: async (id) => {
        if ((await good.get(id)) === undefined) throw new Error('no such row');
        await good.remove(id);
      },
    }),
  },
  {
    name: 'mixes up the answers of reads at the same time',
    caughtBy: MANY_GETS,
    change: (good) => {
      let before = Promise.resolve<ConnectionRecord | undefined>(undefined);
      return {
        store: {
          get: (id) => {
            const answer = before;
            before = good.get(id);
            return answer;
          },
        },
      };
    },
  },
  {
    name: 'cannot be given a signal',
    caughtBy: MANY_GETS,
    change: reads(async (good, id, options) => {
      if (options?.signal !== undefined) throw new TypeError('unexpected signal');
      return good.get(id);
    }),
  },
  { name: 'answers null for a missing id', caughtBy: UNKNOWN, change: reads(async (good, id) => (await good.get(id)) ?? null) },
  {
    name: 'throws for a missing id',
    caughtBy: UNKNOWN,
    change: reads(async (good, id) => (await good.get(id)) ?? Promise.reject(new Error('no rows'))),
  },
  {
    name: 'keeps what it read',
    caughtBy: SEES,
    change: (good) => ({ store: { get: kept((id: string) => good.get(id)) } }),
  },
  {
    name: 'shares a read that began earlier',
    caughtBy: SEES,
    change: (good) => ({ store: { get: shared((id: string) => good.get(id)) } }),
  },
  {
    name: 'reads a replica that lags by a write',
    caughtBy: SEES,
    change: (good) => {
      const replica = new Map<string, ConnectionRecord | undefined>();
      const catchUp = async (): Promise<void> => {
        for (const id of replica.keys()) replica.set(id, await good.get(id));
      };
      return {
        store: { get: async (id) => replica.get(id) },
        write: async (id, row) => {
          await catchUp();
          await good.write(id, row);
          if (!replica.has(id)) replica.set(id, undefined);
        },
        remove: async (id) => {
          await catchUp();
          await good.remove(id);
        },
      };
    },
  },
];
