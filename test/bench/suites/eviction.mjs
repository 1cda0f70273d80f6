import { openRegistry } from '../peers.mjs';
import { idsOf, zipf } from '../measure/traces.mjs';

const IDS = 100_000;
const USES = 1_000_000;

/** How many hydrates each policy costs on the same trace. Belady knows the future: nothing can do better. */
export async function eviction() {
  const results = [];
  for (const alpha of [0.8, 1, 1.2]) {
    for (const share of [0.01, 0.05, 0.1]) {
      const trace = zipf(IDS, USES, alpha, 7);
      const places = IDS * share;
      results.push({ alpha, places, lru: lru(trace, places), sieve: sieve(trace, places), belady: belady(trace, places) });
    }
  }
  // A shorter trace shows that hydrant's own policies evict the same instances.
  const trace = zipf(IDS, 100_000, 1, 7);
  return {
    results,
    check: {
      uses: trace.length, places: 1_000,
      lru: lru(trace, 1_000), hydrantLru: await hydrant(trace, 1_000, 'lru'),
      sieve: sieve(trace, 1_000), hydrantSieve: await hydrant(trace, 1_000, 'sieve'),
    },
  };
}

async function hydrant(trace, places, policy) {
  const ids = idsOf(IDS);
  let hydrates = 0;
  const registry = openRegistry({
    ids,
    capacity: places,
    eviction: policy,
    create: () => {
      hydrates += 1;
      return { n: 1 };
    },
    dispose: undefined,
  });
  registry.on('thrashing', () => {});
  for (const index of trace) await registry.use(ids[index], () => 1);
  await registry.close();
  return hydrates;
}

function lru(trace, places) {
  const live = new Set();
  let misses = 0;
  for (const id of trace) {
    if (!live.delete(id)) {
      misses += 1;
      if (live.size === places) live.delete(live.values().next().value);
    }
    live.add(id);
  }
  return misses;
}

/** A queue in the order of arrival; a hand goes over it and takes the first that was not used since it last came by. */
function sieve(trace, places) {
  const entries = new Map();
  let newest;
  let oldest;
  let hand;
  let misses = 0;
  for (const id of trace) {
    const hit = entries.get(id);
    if (hit !== undefined) {
      hit.visited = true;
      continue;
    }
    misses += 1;
    if (entries.size === places) {
      let victim = hand ?? oldest;
      while (victim.visited) {
        victim.visited = false;
        victim = victim.newer ?? oldest;
      }
      hand = victim.newer;
      if (victim.newer === undefined) newest = victim.older; else victim.newer.older = victim.older;
      if (victim.older === undefined) oldest = victim.newer; else victim.older.newer = victim.newer;
      entries.delete(victim.id);
    }
    const entry = { id, visited: false, older: newest, newer: undefined };
    if (newest === undefined) oldest = entry; else newest.newer = entry;
    newest = entry;
    entries.set(id, entry);
  }
  return misses;
}

/** Evicts the id whose next use comes last. A heap over the next uses; outdated entries are skipped. */
function belady(trace, places) {
  const next = new Uint32Array(trace.length);
  const seen = new Map();
  for (let at = trace.length - 1; at >= 0; at -= 1) {
    next[at] = seen.get(trace[at]) ?? trace.length;
    seen.set(trace[at], at);
  }
  const live = new Map();
  const heap = [];
  let misses = 0;
  for (let at = 0; at < trace.length; at += 1) {
    const id = trace[at];
    if (!live.has(id)) {
      misses += 1;
      while (live.size >= places) {
        const [use, victim] = pop(heap);
        if (live.get(victim) === use) live.delete(victim);
      }
    }
    live.set(id, next[at]);
    push(heap, [next[at], id]);
  }
  return misses;
}

function push(heap, item) {
  let at = heap.push(item) - 1;
  while (at > 0 && heap[(at - 1) >> 1][0] < item[0]) {
    heap[at] = heap[(at - 1) >> 1];
    at = (at - 1) >> 1;
  }
  heap[at] = item;
}

function pop(heap) {
  const [top] = heap;
  const item = heap.pop();
  if (heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1][0] > heap[child][0]) child += 1;
    if (heap[child][0] <= item[0]) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = item;
  return top;
}
