/** A seeded source of choices (sfc32): the same seed, the same choices, on every machine. */
export interface Random {
  /** At least 0 and below 1. */
  next(): number;
  /** A whole number, at least 0 and below `limit`. */
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** One of the keys, by their weights. */
  weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K;
}

export function randomFrom(seed: number): Random {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88 + seed;
  let c = 0xb7e15162 ^ Math.imul(seed, 0x85ebca6b);
  let d = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let warmUp = 0; warmUp < 12; warmUp++) next();
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (from) => {
      const index = below(from.length);
      return from[index] as (typeof from)[number];
    },
    weighted: <K extends string>(weights: Readonly<Partial<Record<K, number>>>) => {
      let sum = 0;
      let last: K | undefined;
      for (const key in weights) sum += weights[key]!;
      let rest = next() * sum;
      for (const key in weights) {
        last = key;
        rest -= weights[key]!;
        if (rest < 0) break;
      }
      return last!;
    },
  };
}
