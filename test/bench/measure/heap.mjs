import { getHeapStatistics } from 'node:v8';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { median } from './rounds.mjs';

/** Bytes on the heap that somebody still needs. */
export async function liveBytes() {
  for (let pass = 0; pass < 3; pass += 1) {
    globalThis.gc();
    await nextTurn();
  }
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

/**
 * Bytes that one operation allocates, garbage included. The run must fit into the young generation (see the flags in
 * `run.mjs`), or a collection in its midst would hide some.
 *
 * @param run - `run(size)` does `size` operations
 */
export async function allocatedBytes(run, { size = 20_000, rounds = 9 } = {}) {
  await run(size);
  await run(size);
  const perOperation = [];
  for (let round = 0; round < rounds; round += 1) {
    globalThis.gc();
    const before = getHeapStatistics().used_heap_size;
    await run(size);
    perOperation.push((getHeapStatistics().used_heap_size - before) / size);
    await nextTurn();
  }
  return median(perOperation);
}

/**
 * Bytes that one operation leaves on the heap after a minor collection. They stay until the next major one.
 *
 * @param run - `run(size)` does `size` operations
 */
export async function survivingBytes(run, { size = 100, turns = 40, rounds = 3 } = {}) {
  const perOperation = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = await liveBytes();
    for (let turn = 0; turn < turns; turn += 1) {
      await run(size);
      await nextTurn();
      globalThis.gc({ type: 'minor' });
    }
    const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
    perOperation.push((heap + external - before) / (size * turns));
  }
  return median(perOperation);
}
