import {
  bareMap,
  boundedInFlightMap,
  hydrantAsync,
  hydrantLease,
  hydrantSync,
  inFlightMap,
  lruFetch,
  openRegistry,
} from '../peers.mjs';
import { allocatedBytes, liveBytes } from '../measure/heap.mjs';
import { compile } from '../measure/rounds.mjs';
import { idsOf } from '../measure/traces.mjs';

const LIVE = 100_000;

/** Bytes that one use of a live instance allocates. */
export async function perOperation() {
  const lease = {
    name: 'hydrant tryAcquire + release', open: openRegistry, close: (it) => it.close(),
    source: 'const lease = it.tryAcquire(id); sum += lease.instance.n; lease.release()',
  };
  const results = [];
  for (const peer of [bareMap, hydrantSync, hydrantAsync, hydrantLease, lease, lruFetch]) {
    const ids = idsOf(1_000);
    const it = await peer.open({ ids, create: async (id) => ({ id, n: 1 }), capacity: 2_000 });
    const warmUp = compile(peer === lease ? 'sum += await it.use(id, read)' : peer.source);
    const order = Uint32Array.from({ length: 20_000 }, (_, index) => index % ids.length);
    await warmUp(it, ids, order, 0, ids.length, read, readLater);
    const loop = compile(peer.source);
    results.push({ name: peer.name, bytes: await allocatedBytes((size) => loop(it, ids, order, 0, size, read, readLater)) });
    await peer.close?.(it);
  }
  return results;
}

/** Bytes that one live connection holds, its row, id and instance aside: those are there before. */
export async function perEntry() {
  const ids = idsOf(LIVE);
  const rows = new Map(ids.map((id) => [id, Object.freeze({ id, version: '1', status: 'active' })]));
  const instances = new Map(ids.map((id) => [id, { id, n: 1 }]));
  const store = { get: async (id) => rows.get(id) };
  const create = async (id) => instances.get(id);
  const order = Uint32Array.from(ids, (_, index) => index);
  const results = [];
  // Everything that was opened stays, so that only the next one can change the heap.
  const opened = [];
  for (const peer of [hydrantSync, bareMap, hydrantSync, inFlightMap, boundedInFlightMap, lruFetch]) {
    const loop = compile(peer.source);
    const before = await liveBytes();
    const it = await peer.open({ ids, create, capacity: LIVE, ...(peer === hydrantSync ? { store } : {}) });
    await loop(it, ids, order, 0, LIVE, read, readLater);
    opened.push(it);
    results.push({ name: peer.name, bytes: (await liveBytes() - before) / LIVE });
  }
  // The first one paid for compiled code as well.
  return results.slice(1);
}

const read = (instance) => instance.n;
const readLater = async (instance) => instance.n;
