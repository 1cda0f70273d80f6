import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { LRUCache } from 'lru-cache';
import { expect, test } from 'vitest';
import { BoundedMap } from '../../src/bounded.js';

const median = (run: () => void): number => {
  const times = Array.from({ length: 21 }, () => {
    const began = performance.now();
    run();
    return performance.now() - began;
  });
  return times.toSorted((a, b) => a - b)[10]!;
};

test('constructing a registry takes less time than allocating its caps in full', () => {
  const store = new MemoryStore();
  const registry = median(() => void new ConnectionRegistry({ store, factory: { create: () => ({}) } }));
  const list = median(() => void new LRUCache({ max: 10_000 }));
  expect(registry).toBeLessThan(list);
});

test('a bounded map that grows forgets the least recently used entry, and no other, at its bound', () => {
  const map = new BoundedMap<number>(1_000);
  for (let index = 0; index < 1_000; index++) map.set(`k${index}`, index);
  expect(map.size).toBe(1_000);
  expect(map.get('k0')).toBe(0);
  map.set('k1', -1);
  map.set('new', 1);
  expect(map.size).toBe(1_000);
  const kept = Object.fromEntries(['k0', 'k1', 'k2', 'k3'].map((key) => [key, map.get(key)]));
  expect(kept).toEqual({ k0: 0, k1: -1, k2: undefined, k3: 3 });
});
