/**
 * `node examples/fleet/measure.mjs`: how many instances three replicas create, by the way a balancer chooses among
 * them. 3 000 connections, room for 1 000 on each replica, 60 000 uniform uses. In one process, because only the choice
 * is measured. The second table loses a replica after 20 000 uses and has it back, cold, after 40 000.
 */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

export const CONNECTIONS = 3_000;
export const USES = 60_000;
const REPLICAS = 3;
const PLACES = 1_000;
const POINTS = 160;

/** The same choices on every run. @param {number} seed */
export function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** @param {string} text */
const hash = (text) => createHash('md5').update(text).digest().readUInt32BE();

/** Points of every replica on a ring, as nginx, HAProxy and Envoy have them. */
const RING = Array.from({ length: REPLICAS }, (_, replica) =>
  Array.from({ length: POINTS }, (__, n) => ({ at: hash(`${replica}-${n}`), replica })),
)
  .flat()
  .toSorted((a, b) => a.at - b.at);

/**
 * A balancer's choice: from the connection's id, the number of the use, and the replicas that are up.
 * @type {Record<string, (id: string, use: number, up: readonly number[]) => number>}
 */
export const WAYS = {
  'round robin': (_id, use, up) => up[use % up.length] ?? 0,
  'hash of the id, modulo': (id, _use, up) => up[hash(id) % up.length] ?? 0,
  'consistent hash of the id': (id, _use, up) => preference(id).find((replica) => up.includes(replica)) ?? 0,
};

/** @type {Map<string, readonly number[]>} */
const preferences = new Map();

/** The replicas in the order in which the ring, walked from the id on, meets them. @param {string} id */
function preference(id) {
  const known = preferences.get(id);
  if (known !== undefined) return known;
  const at = hash(id);
  const from = Math.max(0, RING.findIndex((point) => point.at >= at));
  const found = [...new Set([...RING.slice(from), ...RING.slice(0, from)].map(({ replica }) => replica))];
  preferences.set(id, found);
  return found;
}

/**
 * @param {typeof import('hydrant')} hydrant
 * @param {(id: string, use: number, up: readonly number[]) => number} choose
 * @param {{ losesOne: boolean }} options
 */
export async function measure({ ConnectionRegistry, MemoryStore }, choose, { losesOne }) {
  const store = new MemoryStore(Array.from({ length: CONNECTIONS }, (_, n) => ({ id: `connection-${n}` })));
  let creates = 0;
  const start = () =>
    new ConnectionRegistry({
      store,
      maxInstances: PLACES,
      freshness: { maxStaleMs: 3_600_000 },
      sweepIntervalMs: 0,
      factory: {
        create: () => {
          creates += 1;
          return {};
        },
      },
    });
  const replicas = Array.from({ length: REPLICAS }, start);
  const next = random(1);
  let up = [0, 1, 2];
  /** @type {number[]} */
  const thirds = [];
  for (let use = 0; use < USES; use += 1) {
    if (use % (USES / 3) === 0) thirds.push(creates);
    if (losesOne && use === USES / 3) { up = [0, 1]; await replicas[2]?.close(); }
    if (losesOne && use === USES * 2 / 3) { up = [0, 1, 2]; replicas[2] = start(); }
    const id = `connection-${Math.floor(next() * CONNECTIONS)}`;
    await replicas[choose(id, use, up)]?.use(id, () => {});
  }
  for (const replica of replicas) await replica.close();
  const [, afterFirst = 0, afterSecond = 0] = thirds;
  return { creates, thirds: [afterFirst, afterSecond - afterFirst, creates - afterSecond] };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const hydrant = await import('hydrant');
  for (const losesOne of [false, true]) {
    console.log(losesOne ? '\none replica lost after 20 000 uses, back after 40 000' : 'three replicas throughout');
    for (const [name, choose] of Object.entries(WAYS)) {
      const { creates, thirds } = await measure(hydrant, choose, { losesOne });
      console.log(`${name.padEnd(28)} ${String(creates).padStart(6)} creates; by thirds ${thirds.join(', ')}`);
    }
  }
}
