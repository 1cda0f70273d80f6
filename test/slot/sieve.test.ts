import { describe, expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

const disposed = (h: Harness): string[] =>
  h.log.filter((line) => line.startsWith('dispose')).map((line) => line.replace(/^dispose (\w+)@.*$/, '$1'));

function harness(maxInstances: number, ids: readonly string[]): Harness {
  const h = new Harness({ maxInstances, eviction: 'sieve', freshness: { maxStaleMs: Infinity }, maxQueuedHydrations: 100_000 });
  for (const id of ids) h.rows.put(id);
  return h;
}

/** The published policy: a list, a mark for each entry, and a hand. Returns the evicted ids, in order. */
function sieve(trace: readonly string[], places: number): string[] {
  const queue: string[] = [];
  const visited = new Set<string>();
  const gone: string[] = [];
  let hand = 0;
  for (const id of trace) {
    if (queue.includes(id)) {
      visited.add(id);
      continue;
    }
    if (queue.length === places) {
      if (hand >= queue.length) hand = 0;
      while (visited.delete(queue[hand] as string)) hand = (hand + 1) % queue.length;
      gone.push(...queue.splice(hand, 1));
      if (hand === queue.length) hand = 0;
    }
    queue.push(id);
  }
  return gone;
}

describe("eviction: 'sieve'", () => {
  test('evicts the same slots as the published algorithm', async () => {
    let seed = 7;
    const random = (): number => { seed = (seed * 48_271) % 2_147_483_647; return seed / 2_147_483_647; };
    const aFewOftenAndManyOnce = Array.from({ length: 3_000 }, () => `c${Math.floor(200 * random() ** 4)}`);
    const h = harness(20, [...new Set(aFewOftenAndManyOnce)]);
    for (const id of aFewOftenAndManyOnce) await h.registry.use(id, () => {});
    const expected = sieve(aFewOftenAndManyOnce, 20);
    expect(expected.length).toBeGreaterThan(200);
    expect(disposed(h)).toEqual(expected);
    expect(h.registry.snapshot().live).toBe(20);
  });

  test('connections used once do not evict those used again and again', async () => {
    const once = Array.from({ length: 500 }, (_, n) => `once${n}`);
    const h = harness(10, ['a', 'b', 'c', ...once]);
    for (const id of once) {
      for (const often of ['a', 'b', 'c']) await h.registry.use(often, () => {});
      await h.registry.use(id, () => {});
    }
    expect(h.creates).toBe(503);
  });

  test('a leased instance is never evicted, and is considered again when it is released', async () => {
    const h = harness(2, ['a', 'b', 'c', 'd', 'e']);
    const lease = await h.registry.acquire('a');
    for (const id of ['b', 'c', 'd']) await h.registry.use(id, () => {});
    expect(disposed(h)).toEqual(['b', 'c']);
    lease.release();
    for (const id of ['e', 'b']) await h.registry.use(id, () => {});
    expect(disposed(h)).toContain('a');
    expect(h.registry.snapshot()).toMatchObject({ live: 2, idle: 2 });
  });

  test('if everything is leased, the first released instance is evicted at once', async () => {
    const ids = ['a', 'b', 'c', 'd'];
    const h = harness(2, ids);
    const leases = await Promise.all(ids.map((id) => h.registry.acquire(id)));
    for (const lease of leases) lease.release();
    expect(disposed(h)).toEqual(['a', 'b']);
  });

  test('instances that end for other reasons do not change the order of the others', async () => {
    const h = harness(1_000, ['a', 'b', 'c']);
    for (let round = 0; round < 300; round += 1) {
      for (const id of ['a', 'b', 'c']) {
        await h.registry.use(id, () => {});
        h.registry.invalidate(id);
      }
    }
    expect(disposed(h)).toHaveLength(900);
    const more = Array.from({ length: 1_002 }, (_, n) => `m${n}`);
    for (const id of more) {
      h.rows.put(id);
      await h.registry.use(id, () => {});
    }
    expect(disposed(h).slice(900)).toEqual(['m0', 'm1']);
  });

  test('an instance is disposed of after idleTimeoutMs all the same', async () => {
    const h = new Harness({ maxInstances: 2, eviction: 'sieve', idleTimeoutMs: 1_000, sweepIntervalMs: 0 });
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    for (const id of ['b', 'c', 'd']) {
      h.rows.put(id);
      await h.registry.use(id, () => {});
    }
    lease.release();
    await h.clock.advance(1_000);
    expect(h.registry.snapshot().live).toBe(0);
    expect(h.clock.pendingTimers).toBe(0);
  });
});
