import { createRequire } from 'node:module';
import { LRUCache } from 'lru-cache';
import { ConnectionRegistry, MemoryStore } from './hydrant.mjs';

const require = createRequire(import.meta.url);

/*
 * Everybody does the same: give the instance that belongs to an id, and make it where there is none. `source` is one use,
 * as an application writes it. What a peer does not do (hold an instance while it is used, dispose of it, ask whether
 * the row has changed) is in the table of RESULTS.md.
 */

const forever = 1e9;
const lookUp = 'sum += (await it.get(id)).n';

/** Opens registries of one build. Their uses need no read once an instance is live. */
const openerOf = (build) => ({ ids, create, dispose, capacity, ...options }) =>
  new build.ConnectionRegistry({
    store: new build.MemoryStore(ids.map((id) => ({ id }))),
    factory: { create: (record) => create(record.id), dispose },
    freshness: { maxStaleMs: forever },
    maxInstances: capacity,
    sweepIntervalMs: 0,
    ...options,
  });

export const openRegistry = openerOf({ ConnectionRegistry, MemoryStore });

const hydrant = (name, source) => ({ name, package: 'hydrant', source, open: openRegistry, close: (it) => it.close() });

/** The same peer, with another build of hydrant. */
export const ofBuild = (peer, name, build) => ({ ...peer, name, open: openerOf(build) });

export const BARE_MAP = 'await map.get(id)';
export const HYDRANT_SYNC = 'hydrant use(id, fn)';
export const HYDRANT_ASYNC = 'hydrant use(id, async fn)';

export const bareMap = {
  name: BARE_MAP,
  package: 'node',
  source: lookUp,
  async open({ ids, create }) {
    const map = new Map();
    for (const id of ids) map.set(id, await create(id));
    return map;
  },
};

export const hydrantSync = hydrant(HYDRANT_SYNC, 'sum += await it.use(id, read)');
export const hydrantAsync = hydrant(HYDRANT_ASYNC, 'sum += await it.use(id, readLater)');
export const hydrantLease = hydrant('hydrant acquire + release', `
  const lease = await it.acquire(id);
  sum += lease.instance.n;
  lease.release()`);

/** The usual map by hand: one promise per id, so that two cold requests do not start it twice. */
class InFlightMap {
  #promises = new Map();
  #create;

  constructor(create) {
    this.#create = create;
  }

  get(id) {
    let promise = this.#promises.get(id);
    if (promise === undefined) {
      promise = this.#create(id);
      this.#promises.set(id, promise);
      promise.catch(() => this.#promises.delete(id));
    }
    return promise;
  }
}

/** The same with a bound: the least recently used entry goes, by moving an entry to the end whenever it is used. */
class BoundedInFlightMap {
  #promises = new Map();
  #create;
  #dispose;
  #capacity;

  constructor(create, dispose, capacity) {
    this.#create = create;
    this.#dispose = dispose;
    this.#capacity = capacity;
  }

  get(id) {
    let promise = this.#promises.get(id);
    if (promise === undefined) {
      promise = this.#create(id);
      promise.catch(() => this.#promises.delete(id));
    } else {
      this.#promises.delete(id);
    }
    this.#promises.set(id, promise);
    if (this.#promises.size > this.#capacity) this.#evict();
    return promise;
  }

  #evict() {
    const [[id, promise]] = this.#promises;
    this.#promises.delete(id);
    void promise.then(this.#dispose);
  }
}

export const inFlightMap = {
  name: 'hand-written Map of promises',
  package: 'node',
  source: lookUp,
  open: ({ create }) => new InFlightMap(create),
};

export const boundedInFlightMap = {
  name: 'the same with LRU',
  package: 'node',
  source: lookUp,
  open: ({ create, dispose, capacity }) => new BoundedInFlightMap(create, dispose, capacity),
};

export const lruGet = {
  name: 'lru-cache get',
  package: 'lru-cache',
  source: lookUp,
  async open({ ids, create, capacity }) {
    const cache = new LRUCache({ max: capacity });
    for (const id of ids) cache.set(id, await create(id));
    return cache;
  },
};

export const lruFetch = {
  name: 'lru-cache fetch',
  package: 'lru-cache',
  source: 'sum += (await it.fetch(id)).n',
  open: ({ create, dispose, capacity }) => new LRUCache({ max: capacity, fetchMethod: create, dispose }),
};

export const asyncCacheDedupe = {
  name: 'async-cache-dedupe',
  package: 'async-cache-dedupe',
  source: 'sum += (await it.instance(id)).n',
  async open({ create, capacity }) {
    const { createCache } = await import('async-cache-dedupe');
    return createCache({ ttl: forever, storage: { type: 'memory', options: { size: capacity } } }).define('instance', create);
  },
};

export const pMemoize = {
  name: 'p-memoize',
  package: 'p-memoize',
  source: 'sum += (await it(id)).n',
  async open({ create }) {
    const { default: memoize } = await import('p-memoize');
    return memoize(create);
  },
};

/** A pool of one per id: the only way in which it keeps ids apart. */
export const genericPool = {
  name: 'generic-pool, one per id',
  package: 'generic-pool',
  source: 'sum += await it.use(id, readLater)',
  open({ create }) {
    const { createPool } = require('generic-pool');
    const pools = new Map();
    return {
      pools,
      use(id, work) {
        let pool = pools.get(id);
        if (pool === undefined) {
          pool = createPool({ create: () => create(id), destroy: async () => {} }, { max: 1 });
          pools.set(id, pool);
        }
        return pool.use(work);
      },
    };
  },
  async close({ pools }) {
    for (const pool of pools.values()) await pool.drain().then(() => pool.clear());
  },
};

export const effectRcMap = {
  name: 'Effect RcMap',
  package: 'effect',
  source: 'sum += await it.use(id, read)',
  async open({ create, dispose }) {
    const { Effect, Exit, RcMap, Scope } = await import('effect');
    const scope = await Effect.runPromise(Scope.make());
    const lookup = (id) =>
      Effect.acquireRelease(
        Effect.promise(() => create(id)),
        (instance) => Effect.sync(() => dispose?.(instance)),
      );
    const map = await Effect.runPromise(Scope.provide(RcMap.make({ lookup, idleTimeToLive: 'Infinity' }), scope));
    return {
      use: (id, work) => Effect.runPromise(Effect.scoped(Effect.map(RcMap.get(map, id), work))),
      close: () => Effect.runPromise(Scope.close(scope, Exit.void)),
    };
  },
  close: (it) => it.close(),
};

export const cacheable = {
  name: 'cacheable getOrSet',
  package: 'cacheable',
  source: 'sum += (await it.get(id)).n',
  async open({ create, capacity }) {
    const { Cacheable, Keyv, KeyvCacheableMemory } = await import('cacheable');
    const primary = new Keyv({ store: new KeyvCacheableMemory({ useClone: false, lruSize: capacity }) });
    const cache = new Cacheable({ primary });
    return { get: (id) => cache.getOrSet(id, () => create(id)), close: () => cache.disconnect() };
  },
  close: (it) => it.close(),
};

export const bentocache = {
  name: 'bentocache getOrSet',
  package: 'bentocache',
  source: lookUp,
  async open({ create, capacity }) {
    const { BentoCache, bentostore } = await import('bentocache');
    const { memoryDriver } = await import('bentocache/drivers/memory');
    const bento = new BentoCache({
      default: 'memory',
      stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: capacity, serialize: false })) },
    });
    return {
      get: (key) => bento.getOrSet({ key, ttl: forever, factory: () => create(key) }),
      close: () => bento.disconnectAll(),
    };
  },
  close: (it) => it.close(),
};

export const ALL = [
  bareMap, hydrantSync, hydrantAsync, hydrantLease, inFlightMap, boundedInFlightMap, lruGet, lruFetch, asyncCacheDedupe,
  pMemoize, genericPool, effectRcMap, cacheable, bentocache,
];
