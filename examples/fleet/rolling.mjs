/**
 * `node examples/fleet/rolling.mjs`: a rolling deploy of three replicas behind a consistent hash, with and without
 * warming up. Simulated time and real registries: a create takes 300 ms, 200 uses a second arrive, and a replica is
 * away for 10 s while it is replaced. Each row counts the four minutes from the start of the deploy.
 *
 * - `none`: the new replica gets traffic at once, and creates instances as they are used.
 * - `before traffic`: it first creates the instances that its predecessor held, eight at a time.
 * - `during traffic`: it does the same while it already gets traffic.
 */
import { fileURLToPath } from 'node:url';
import { CONNECTIONS, random, WAYS } from './measure.mjs';

const REPLICAS = 3;
const PLACES = 1_400;
const CREATE_MS = 300;
const USE_EVERY_MS = 5;
const AWAY_MS = 10_000;
const PAUSE_MS = 10_000;
const BEFORE_MS = 180_000;
const COUNTED_MS = 240_000;
const WARM_AT_A_TIME = 8;

/** Picks a connection. Skewed: a fifth of the connections gets three fifths of the uses. */
export const TRAFFIC = {
  uniform: (/** @type {number} */ share) => Math.floor(share * CONNECTIONS),
  skewed: (/** @type {number} */ share) => Math.floor(share ** 3 * CONNECTIONS),
};

export const WARM_UPS = /** @type {const} */ (['none', 'before traffic', 'during traffic']);

/**
 * Creates instances of these connections, a few at a time. A connection that is gone or broken is left out.
 *
 * @param {Pick<import('hydrant').ConnectionRegistry<any, any>, 'use'>} registry
 * @param {readonly string[]} ids
 */
export async function warmUp(registry, ids) {
  const left = ids.values();
  await Promise.all(Array.from({ length: WARM_AT_A_TIME }, async () => {
    for (const id of left) await registry.use(id, () => {}).catch(() => {});
  }));
}

/**
 * @param {Pick<typeof import('hydrant'), 'ConnectionRegistry' | 'MemoryStore'>} hydrant
 * @param {import('hydrant/testing').ManualClock} clock
 * @param {{ warm: typeof WARM_UPS[number], pick: (share: number) => number }} options
 */
export async function rollingDeploy({ ConnectionRegistry, MemoryStore }, clock, { warm, pick }) {
  const store = new MemoryStore(Array.from({ length: CONNECTIONS }, (_, n) => ({ id: `connection-${n}` })));
  let creates = 0;
  const start = () => new ConnectionRegistry({
    store, clock, maxInstances: PLACES, idleTimeoutMs: Infinity, freshness: { maxStaleMs: 3_600_000 }, sweepIntervalMs: 0,
    factory: {
      create: () => {
        creates += 1;
        return new Promise((resolve) => { clock.setTimeout(() => resolve({}), CREATE_MS, { ref: true }); });
      },
    },
  });
  const replicas = Array.from({ length: REPLICAS }, start);
  const up = new Set(replicas.keys());
  const next = random(1);
  const choose = WAYS['consistent hash of the id'];
  /** How long uses had to wait, for those that did. @type {number[]} */
  let waits = [];
  let uses = 0;

  /** @param {number} ms @param {Promise<unknown>} [until] ends earlier */
  async function pass(ms, until) {
    let ended = false;
    void until?.then(() => { ended = true; });
    for (let passed = 0; passed < ms; passed += USE_EVERY_MS) {
      if (ended) return;
      const id = `connection-${pick(next())}`;
      const at = clock.monotonic();
      uses += 1;
      const replica = replicas[choose?.(id, uses, [...up]) ?? 0];
      void replica?.use(id, () => { if (clock.monotonic() > at) waits.push(clock.monotonic() - at); });
      await clock.advance(USE_EVERY_MS);
    }
  }

  await pass(BEFORE_MS);
  creates = 0;
  waits = [];
  const began = clock.monotonic();
  for (const n of replicas.keys()) {
    const old = replicas[n];
    // The predecessor writes down what it holds before it closes. The successor reads it.
    const held = old?.snapshot().connections.map(({ id }) => id) ?? [];
    up.delete(n);
    const closed = old?.close();
    await pass(AWAY_MS);
    await closed;
    const replica = replicas[n] = start();
    const warmed = warm === 'none' ? Promise.resolve() : warmUp(replica, held);
    if (warm === 'before traffic') await pass(Infinity, warmed);
    up.add(n);
    await pass(PAUSE_MS);
  }
  const tookMs = clock.monotonic() - began;
  await pass(COUNTED_MS - tookMs);
  const closing = Promise.all(replicas.map((replica) => replica.close()));
  await clock.advance(60_000);
  await closing;
  const sorted = waits.toSorted((a, b) => a - b);
  return {
    deploySeconds: Math.round(tookMs / 1_000),
    creates,
    waited: sorted.length,
    longestMs: Math.round(sorted.at(-1) ?? 0),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [hydrant, { ManualClock }] = await Promise.all([import('hydrant'), import('hydrant/testing')]);
  for (const [traffic, pick] of Object.entries(TRAFFIC)) {
    for (const warm of WARM_UPS) {
      const { deploySeconds, creates, waited, longestMs } = await rollingDeploy(hydrant, new ManualClock(), { warm, pick });
      console.log(
        `${traffic}, warm-up ${warm.padEnd(14)} deploy ${deploySeconds} s, ${creates} creates, `
        + `${waited} uses waited, the longest ${longestMs} ms`,
      );
    }
  }
}
