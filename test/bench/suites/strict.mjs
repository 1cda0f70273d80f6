import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionRegistry } from '../hydrant.mjs';
import { quantile } from '../measure/rounds.mjs';
import { idsOf, uniform } from '../measure/traces.mjs';

const IDS = 500;
const CONNECTIONS = 10;
const ROUND_TRIP_MS = 1;

/** A store of so many connections, each busy for a round trip per query; further queries wait for one. */
class PooledStore {
  queries = 0;
  #free = CONNECTIONS;
  #waiting = [];

  async get(id) {
    await this.#query();
    return { id, version: '1', status: 'active' };
  }

  async getVersions(ids) {
    await this.#query();
    return new Map(ids.map((id) => [id, '1']));
  }

  async #query() {
    this.queries += 1;
    if (this.#free === 0) await new Promise((resolve) => { this.#waiting.push(resolve); });
    else this.#free -= 1;
    await sleep(ROUND_TRIP_MS);
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** How many queries a use costs, and how long it waits, when every use must rest on a read that began after it. */
export async function strict({ seconds = 2 }) {
  const traffics = {
    'bursts of 100, 10 000 uses/s': { everyMs: 10, uses: 100 },
    'smooth, 1 000 uses/s': { everyMs: 1, uses: 1 },
  };
  const results = {};
  for (const [name, traffic] of Object.entries(traffics)) {
    results[name] = [];
    for (const way of [readPerUse, strictByVersion, strictByRow, withinASecond]) {
      results[name].push({ name: way.title, ...await drive(way, traffic, seconds) });
    }
  }
  return results;
}

const open = (store, freshness) =>
  new ConnectionRegistry({ store, freshness, factory: { create: () => ({ n: 1 }) }, sweepIntervalMs: 0 });
const byRow = (store) => ({ get: (id) => store.get(id) });

function readPerUse(store) {
  const instances = new Map();
  return {
    async use(id, work) {
      await store.get(id);
      if (!instances.has(id)) instances.set(id, { n: 1 });
      return work(instances.get(id));
    },
    close: async () => {},
  };
}
readPerUse.title = 'a row read per use';
const strictByVersion = (store) => open(store, 'strict');
strictByVersion.title = "hydrant 'strict', store with getVersions";
const strictByRow = (store) => open(byRow(store), 'strict');
strictByRow.title = "hydrant 'strict', store with get only";
const withinASecond = (store) => open(store, { maxStaleMs: 1_000 });
withinASecond.title = 'hydrant { maxStaleMs: 1000 }';

async function drive(way, { everyMs, uses }, seconds) {
  const store = new PooledStore();
  const it = way(store);
  const ids = idsOf(IDS);
  for (const id of ids) await it.use(id, () => 1);
  store.queries = 0;
  const order = uniform(IDS, 1 << 16);
  const waits = [];
  const pending = new Set();
  const start = performance.now();
  for (let count = 0, now = start; now - start < seconds * 1_000; now = performance.now()) {
    // Open loop: a late use does not delay the next one.
    const due = Math.floor((now - start) / everyMs + 1) * uses;
    for (; count < due; count += 1) {
      const from = performance.now();
      const use = it
        .use(ids[order[count % order.length]], () => 1)
        .then(() => {
          waits.push(performance.now() - from);
          pending.delete(use);
        });
      pending.add(use);
    }
    await sleep(everyMs);
  }
  await Promise.all(pending);
  await it.close();
  return { queriesPerUse: store.queries / waits.length, p50Ms: quantile(waits, 0.5), p99Ms: quantile(waits, 0.99) };
}
