import { turns } from '../complete-store.js';
import { kept, mapped, reading, shared, versions, without, type BrokenStore } from './broken-store.js';

const VERSIONS = 'versions: getVersions agrees with get';
const VERSIONS_SEE = 'versions: a getVersions that begins after a write was committed sees it';
const ONE_EACH = 'versions: one version means one configuration while many write';
const TOUCH = 'versions: touch makes a new version and changes nothing else';
const EQUAL = 'versions: equal versions mean equal configuration and status, also after delete and recreate';
const EVERY_EDIT = 'versions: every edit, stop and start makes a new one';
const COUNTER = 'versions: a counter never repeats one, not even after delete and recreate';
const STEADY = 'versions: reading does not change them';
const BOOKKEEPING = 'versions: bookkeeping does not change them';

/** Stores whose versions are wrong. */
export const WRONG_VERSIONS: readonly BrokenStore[] = [
  {
    name: 'fails at versions of nothing',
    caughtBy: VERSIONS,
    change: versions(async (good, ids) => {
      if (ids.length === 0) throw new Error('syntax error at or near ")"');
      return good.getVersions(ids);
    }),
  },
  {
    name: 'has versions for an empty batch',
    caughtBy: VERSIONS,
    change: versions(async (good, ids) => good.getVersions(ids.length === 0 ? ['connection0'] : ids)),
  },
  {
    name: 'has versions of active rows alone',
    caughtBy: VERSIONS,
    change: versions(async (good, ids) => {
      const rows = await good.getMany(ids);
      return without(await good.getVersions(ids), (_version, id) => rows.get(id)?.status !== 'active');
    }),
  },
  {
    name: 'keeps the versions it read',
    caughtBy: VERSIONS_SEE,
    change: (good) => ({ store: { getVersions: kept((ids: readonly string[]) => good.getVersions(ids)) } }),
  },
  {
    name: 'shares a query of versions that began earlier',
    caughtBy: VERSIONS_SEE,
    change: (good) => ({ store: { getVersions: shared((ids: readonly string[]) => good.getVersions(ids)) } }),
  },
  {
    name: 'goes on telling versions of what was deleted',
    caughtBy: VERSIONS_SEE,
    change: (good) => {
      const last = new Map<string, string>();
      return {
        store: {
          getVersions: async (ids) => {
            for (const [id, version] of await good.getVersions(ids)) last.set(id, version);
            return without(last, (_version, id) => !ids.includes(id));
          },
        },
      };
    },
  },
  {
    name: 'reads a row’s status in another step',
    caughtBy: ONE_EACH,
    change: (good) => {
      let count = 0;
      return {
        store: {
          get: async (id) => {
            const row = await good.get(id);
            if ((count += 1) % 2 === 0) await turns(1);
            return row && { ...row, status: (await good.get(id))?.status ?? row.status };
          },
        },
      };
    },
  },
  {
    name: 'counts versions anew after a delete',
    caughtBy: ONE_EACH,
    change: (good) => {
      const counts = new Map<string, number>();
      return {
        store: {
          get: async (id) => {
            const count = counts.get(id);
            const row = await good.get(id);
            return row && { ...row, version: count ?? 0 };
          },
        },
        write: async (id, row) => {
          await good.write(id, row);
          counts.set(id, (counts.get(id) ?? 0) + 1);
        },
        remove: async (id) => {
          await good.remove(id);
          counts.delete(id);
        },
      };
    },
  },
  { name: 'keeps the version at a touch', caughtBy: TOUCH, change: () => ({ touch: async () => {} }) },
  {
    name: 'stops what is touched',
    caughtBy: TOUCH,
    change: (good) => ({
      touch: async (id) => {
        if ((await good.get(id)) !== undefined) await good.write(id, { status: 'stopped', config: 'a' });
      },
    }),
  },
  {
    name: 'changes the configuration at a touch',
    caughtBy: TOUCH,
    change: (good) => ({
      touch: async (id) => {
        if ((await good.get(id)) !== undefined) await good.write(id, { status: 'active', config: 'touched' });
      },
    }),
  },
  {
    name: 'puts versions of missing ids into the map',
    caughtBy: VERSIONS,
    change: versions(
      async (good, ids) => new Map(await Promise.all(ids.map(async (id) => [id, (await good.get(id))?.version] as const))),
    ),
  },
  {
    name: 'says other versions than get',
    caughtBy: VERSIONS,
    change: versions(async (good, ids) => mapped(await good.getVersions(ids), (version) => `v${version}`)),
  },
  {
    name: 'counts versions per row, from 1',
    caughtBy: EQUAL,
    change: (good) => {
      const counts = new Map<string, number>();
      return {
        store: {
          get: async (id) => {
            const row = await good.get(id);
            return row && { ...row, version: counts.get(id) ?? 0 };
          },
        },
        write: async (id, row) => {
          counts.set(id, (counts.get(id) ?? 0) + 1);
          await good.write(id, row);
        },
        remove: async (id) => {
          counts.delete(id);
          await good.remove(id);
        },
      };
    },
  },
  {
    name: 'takes a coarse updated_at for a version',
    caughtBy: EVERY_EDIT,
    change: reading((row) => ({ ...row, version: Math.floor(Number(row.version) / 4) })),
  },
  {
    name: 'does not count a stop',
    caughtBy: EVERY_EDIT,
    change: (good) => {
      const counted = new Map<string, { config: string; version: number }>();
      let last = 0;
      return {
        store: {
          get: async (id) => {
            const row = await good.get(id);
            return row && { ...row, version: counted.get(id)?.version ?? 0 };
          },
        },
        write: async (id, row) => {
          if (counted.get(id)?.config !== row.config) counted.set(id, { config: row.config, version: (last += 1) });
          await good.write(id, row);
        },
        remove: async (id) => {
          counted.delete(id);
          await good.remove(id);
        },
      };
    },
  },
  {
    name: 'says that a hash of the row is a counter',
    caughtBy: COUNTER,
    change: reading((row, good) => ({ ...row, version: `${row.status} ${good.configOf(row)}` })),
  },
  {
    name: 'gives a version of its own to every read',
    caughtBy: STEADY,
    change: (good) => {
      let reads = 0;
      return {
        store: {
          get: async (id) => {
            const row = await good.get(id);
            return row && { ...row, version: (reads += 1) };
          },
        },
      };
    },
  },
  {
    name: 'reads row and version in two steps',
    caughtBy: ONE_EACH,
    change: (good) => {
      let reads = 0;
      return {
        store: {
          get: async (id) => {
            const version = (await good.get(id))?.version;
            if ((reads += 1) % 3 !== 0) await turns(1);
            const row = await good.get(id);
            return row && version !== undefined ? { ...row, version } : undefined;
          },
        },
      };
    },
  },
  {
    name: 'makes a new version at bookkeeping',
    caughtBy: BOOKKEEPING,
    change: (good) => ({ bookkeep: (id) => good.touch(id) }),
  },
  {
    name: 'creates a row on touch',
    caughtBy: TOUCH,
    change: (good) => ({
      touch: async (id) => {
        if ((await good.get(id)) === undefined) await good.write(id, { status: 'active', config: 'touched' });
        else await good.touch(id);
      },
    }),
  },
];
