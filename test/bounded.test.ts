import { describe, expect, test } from 'vitest';
import { BoundedMap } from '../src/bounded.js';

const filled = (max: number, count: number): BoundedMap<number> => {
  const map = new BoundedMap<number>(max);
  for (let index = 0; index < count; index += 1) map.set(`k${index}`, index);
  return map;
};

describe('a map with a bound', () => {
  // It takes its room in steps of 64, 512 and 4096.
  test.each([1, 10, 63, 64, 65, 100, 512, 513, 1_000])('of %s keeps that many entries, the newest ones', (max) => {
    const full = filled(max, max);
    expect(full.size).toBe(max);
    expect(full.get('k0')).toBe(0);
    const over = filled(max, max + 3);
    expect(over.size).toBe(max);
    expect({ oldest: over.get('k2'), newest: over.get(`k${max + 2}`) }).toEqual({ oldest: undefined, newest: max + 2 });
  });

  test('forgets the least recently used entry, even after it has grown', () => {
    const map = filled(100, 64);
    expect(map.get('k0')).toBe(0);
    for (let index = 64; index < 100; index += 1) map.set(`k${index}`, index);
    map.set('one more', -1);
    expect({ k0: map.get('k0'), k1: map.get('k1'), size: map.size }).toEqual({ k0: 0, k1: undefined, size: 100 });
  });

  test('replaces the value of a key without forgetting another', () => {
    const map = filled(64, 64);
    map.set('k5', 500);
    expect({ size: map.size, k0: map.get('k0'), k5: map.get('k5') }).toEqual({ size: 64, k0: 0, k5: 500 });
  });

  test('deletes one entry, or all', () => {
    const map = filled(10, 3);
    map.delete('k1');
    expect({ size: map.size, k1: map.get('k1'), k2: map.get('k2') }).toEqual({ size: 2, k1: undefined, k2: 2 });
    map.clear();
    expect({ size: map.size, k2: map.get('k2') }).toEqual({ size: 0, k2: undefined });
  });
});
