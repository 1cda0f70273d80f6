import { turns } from '../complete-store.js';
import { hearing, type BrokenStore } from './broken-store.js';

const ALL_HEAR = 'watch: every listener is called, and a removed one no longer';
const FLOOD = 'watch: a thousand changes at once are all reported';
const CUT = 'watch: after its connection was cut, it subscribes again, with a gap';
const BEGINS = 'watch: a subscription begins with a gap';
const REPORTS = 'watch: reports an edit, a stop, a delete and a creation, each after it can be read';

/** Stores whose hints are wrong. */
export const WRONG_HINTS: readonly BrokenStore[] = [
  {
    name: 'tells the first listener alone',
    caughtBy: ALL_HEAR,
    change: hearing((_listener, nth) => (nth === 0 ? {} : { changed() {} })),
  },
  {
    name: 'tells the last listener alone',
    caughtBy: ALL_HEAR,
    change: hearing((_listener, nth) => (nth === 1 ? {} : { changed() {} })),
  },
  {
    name: 'begins the second subscription without a gap',
    caughtBy: ALL_HEAR,
    change: hearing((_listener, nth) => (nth === 0 ? {} : { gap() {} })),
  },
  {
    name: 'lets nobody leave',
    caughtBy: ALL_HEAR,
    change: (good) => ({
      store: {
        watch: async (listener) => {
          await good.watch(listener);
          return { async [Symbol.asyncDispose]() {} };
        },
      },
    }),
  },
  {
    name: 'loses hints when many come at once',
    caughtBy: FLOOD,
    change: hearing((listener) => {
      let heard = 0;
      return {
        changed: (ids) => {
          if ((heard += 1) <= 900) listener.changed(ids);
        },
      };
    }),
  },
  {
    name: 'subscribes again once',
    caughtBy: CUT,
    change: (good) => {
      let cuts = 0;
      return {
        interrupt: async () => {
          if ((cuts += 1) === 1) await good.interrupt();
        },
      };
    },
  },
  {
    name: 'hears nothing any more once it was cut',
    caughtBy: CUT,
    change: (good) => {
      let isCut = false;
      return {
        interrupt: () => {
          isCut = true;
          return good.interrupt();
        },
        store: {
          watch: (listener) =>
            good.watch({
              gap: () => listener.gap(),
              changed: (ids) => {
                if (!isCut) listener.changed(ids);
              },
            }),
        },
      };
    },
  },
  { name: 'begins every subscription without a gap', caughtBy: BEGINS, change: hearing(() => ({ gap() {} })) },
  {
    name: 'tells of changes before they can be read',
    caughtBy: REPORTS,
    change: (good) => {
      const tell = good.tell.bind(good);
      good.tell = () => {};
      return {
        write: async (id, row) => {
          tell(id);
          void turns(10).then(() => good.write(id, row));
        },
      };
    },
  },
  {
    name: 'says nothing of deletes',
    caughtBy: REPORTS,
    change: (good) => {
      const tell = good.tell.bind(good);
      return {
        remove: async (id) => {
          good.tell = () => {};
          await good.remove(id);
          good.tell = tell;
        },
      };
    },
  },
  { name: 'does not subscribe again', caughtBy: CUT, change: () => ({ interrupt: async () => {} }) },
];
