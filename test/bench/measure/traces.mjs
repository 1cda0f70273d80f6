/** A small, seeded generator (mulberry32): every run asks for the same ids in the same order. */
export function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function idsOf(count) {
  return Array.from({ length: count }, (_, index) => `connection-${index}`);
}

/** `length` indices below `count`, each as likely as the other. */
export function uniform(count, length, seed = 1) {
  const next = random(seed);
  return Uint32Array.from({ length }, () => Math.floor(next() * count));
}

/** `length` indices below `count`, drawn as the cube of a uniform variable: a few are asked for often, most now and then. */
export function cube(count, length, seed = 1) {
  const next = random(seed);
  return Uint32Array.from({ length }, () => Math.floor(count * next() ** 3));
}

/** `length` indices below `count`, the k-th most popular with a likelihood of 1 / k^alpha, scattered over all ids. */
export function zipf(count, length, alpha = 1, seed = 1) {
  const next = random(seed);
  const cumulative = new Float64Array(count);
  let total = 0;
  for (let rank = 0; rank < count; rank += 1) cumulative[rank] = total += 1 / (rank + 1) ** alpha;
  const idOfRank = shuffled(count, next);
  return Uint32Array.from({ length }, () => idOfRank[lowerBound(cumulative, next() * total)]);
}

export function shuffled(count, next) {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(next() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

function lowerBound(ascending, value) {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
