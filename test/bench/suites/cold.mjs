import {
  asyncCacheDedupe,
  bentocache,
  boundedInFlightMap,
  cacheable,
  effectRcMap,
  genericPool,
  hydrantSync,
  inFlightMap,
  lruFetch,
  pMemoize,
} from '../peers.mjs';
import { compile, interleaved } from '../measure/rounds.mjs';
import { idsOf } from '../measure/traces.mjs';

const COLD = 1_000;
const AT_ONCE = 100;

/** The least work of a cold use: nothing is shared, bounded or ended. */
const bareLoad = {
  name: 'read, create, map.set(id)',
  open: ({ create }) => ({ map: new Map(), create }),
  source: `
    let instance = it.map.get(id);
    if (instance === undefined) {
      instance = await it.create(id);
      it.map.set(id, instance);
    }
    sum += instance.n`,
};

/** First uses, with a store and a factory that answer at once, so the time is that of everything else. */
export async function cold({ rounds }) {
  const peers = [
    bareLoad,
    hydrantSync,
    inFlightMap,
    boundedInFlightMap,
    lruFetch,
    asyncCacheDedupe,
    pMemoize,
    genericPool,
    effectRcMap,
    cacheable,
    bentocache,
  ];
  return coldOf(peers, { reference: bareLoad.name, rounds });
}

export async function coldOf(peers, options) {
  const subjects = (run) => peers.map((peer) => coldSubject(peer, run));
  return {
    'one at a time': await interleaved(subjects(oneAtATime), options),
    [`${AT_ONCE} at once`]: await interleaved(subjects(manyAtOnce), options),
  };
}

/** Opens the peer anew for every turn, so that every use is the first one of its id. */
function coldSubject(peer, run) {
  const ids = idsOf(COLD);
  const rows = new Map(ids.map((id) => [id, Object.freeze({ id, version: '1', status: 'active' })]));
  const store = { get: async (id) => rows.get(id) };
  const loop = compile(peer.source);
  const order = Uint32Array.from(ids, (_, index) => index);
  // Hydrant reads the row itself; for the others that is part of making an instance.
  const create = peer.package === hydrantSync.package
    ? async (id) => ({ id, n: 1 })
    : async (id) => { const row = await store.get(id); return { id: row.id, n: 1 }; };
  let it;
  return {
    name: peer.name,
    size: COLD,
    async before() {
      it = await peer.open({ ids, create, capacity: 2 * COLD, ...(peer.package === hydrantSync.package ? { store } : {}) });
    },
    run: () => run(loop, it, ids, order),
    async after() {
      await peer.close?.(it);
    },
  };
}

function oneAtATime(loop, it, ids, order) {
  return loop(it, ids, order, 0, COLD, read, readLater);
}

async function manyAtOnce(loop, it, ids, order) {
  for (let from = 0; from < COLD; from += AT_ONCE) {
    const uses = [];
    for (let at = from; at < from + AT_ONCE; at += 1) uses.push(loop(it, ids, order, at, at + 1, read, readLater));
    await Promise.all(uses);
  }
}

/** Many more connections than places: every use hydrates, and evicts somebody. */
export function churn({ rounds }) {
  return churnOf([boundedInFlightMap, hydrantSync, lruFetch], { reference: boundedInFlightMap.name, rounds });
}

export async function churnOf(peers, options) {
  const ids = idsOf(100_000);
  const order = Uint32Array.from(ids, (_, index) => index);
  const peaks = {};
  const subject = (peer) => {
    const loop = compile(peer.source);
    let it;
    let alive = 0;
    let peak = 0;
    const create = async (id) => { alive += 1; peak = Math.max(peak, alive); return { id, n: 1 }; };
    const dispose = () => { alive -= 1; };
    return {
      name: peer.name,
      size: 10_000,
      async before() {
        it ??= await peer.open({ ids, create, dispose, capacity: 1_000, maxQueuedHydrations: 1_000 });
        this.from = ((this.from ?? -this.size) + this.size) % ids.length;
      },
      async run() {
        for (let from = this.from; from < this.from + this.size; from += AT_ONCE) {
          const uses = [];
          for (let at = from; at < from + AT_ONCE; at += 1) uses.push(loop(it, ids, order, at, at + 1, read, readLater));
          await Promise.all(uses);
        }
      },
      async end() {
        peaks[peer.name] = peak;
        await peer.close?.(it);
      },
    };
  };
  const subjects = peers.map(subject);
  const results = await interleaved(subjects, options);
  for (const each of subjects) await each.end();
  return {
    capacity: 1_000,
    atOnce: AT_ONCE,
    results: results.map((result) => Object.assign(result, { peak: peaks[result.name] })),
  };
}

const read = (instance) => instance.n;
const readLater = async (instance) => instance.n;
