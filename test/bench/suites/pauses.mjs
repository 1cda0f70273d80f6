import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { boundedInFlightMap, openRegistry } from '../peers.mjs';
import { idsOf, zipf } from '../measure/traces.mjs';

const IDS = 20_000;
const PLACES = 5_000;

/**
 * Collections and event loop delay under mixed load: 5 000 uses/s, zipf, one in ten or so cold, a store that takes a
 * millisecond.
 */
export async function pauses({ seconds = 5 }) {
  const results = [];
  for (const way of ['hand-written Map of promises with LRU', 'hydrant'])
    results.push({ name: way, ...(await drive(way, seconds)) });
  return results;
}

const create = async (id) => ({ id, n: 1 });
const get = async (id) => { await sleep(1); return { id, version: '1', status: 'active' }; };

async function drive(way, seconds) {
  const ids = idsOf(IDS);
  const registry = way === 'hydrant'
    ? openRegistry({ ids, create, dispose: () => {}, capacity: PLACES, store: { get } })
    : undefined;
  const map = boundedInFlightMap.open({ create: async (id) => create((await get(id)).id), dispose: () => {}, capacity: PLACES });
  const use = registry === undefined ? async (id) => (await map.get(id)).n : (id) => registry.use(id, (instance) => instance.n);
  const order = zipf(IDS, 1 << 20);
  globalThis.gc();
  await nextTurn();
  const collections = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collections.push(duration);
  });
  observer.observe({ entryTypes: ['gc'] });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  const pending = new Set();
  let count = 0;
  for (let now = start; now - start < seconds * 1_000; now = performance.now()) {
    for (const due = (now - start) * 5; count < due; count += 1) {
      const one = use(ids[order[count % order.length]]).finally(() => pending.delete(one));
      pending.add(one);
    }
    await sleep(1);
  }
  await Promise.all(pending);
  delay.disable();
  await nextTurn();
  observer.disconnect();
  await registry?.close();
  return {
    usesPerSecond: count / seconds,
    collections: collections.length,
    collectingMsPerSecond: collections.reduce((sum, ms) => sum + ms, 0) / seconds,
    longestCollectionMs: Math.max(0, ...collections),
    delayP50Ms: delay.percentile(50) / 1e6,
    delayP99Ms: delay.percentile(99) / 1e6,
  };
}
