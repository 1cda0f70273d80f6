import { expect, test } from 'vitest';
import { Sieve } from '../../src/slot/sieve.js';
import { Slot } from '../../src/slot/state.js';
import { collectAfterThisTurn } from '../support/garbage.js';

interface Row { readonly id: string; readonly version: number; readonly status: 'active' }

test('slots that were added and removed since the last eviction are not kept', async () => {
  const sieve = new Sieve<Row, unknown>();
  const queue: Slot<Row, unknown>[] = [];
  const gone: WeakRef<object>[] = [];
  const comes = (n: number): Slot<Row, unknown> => {
    const slot = new Slot<Row, unknown>({ id: `c${n}`, version: 1, status: 'active' }, { create: () => '' }, 0, false);
    sieve.add(slot);
    queue.push(slot);
    return slot;
  };
  comes(0);
  expect(sieve.victim(() => {})).toBe(queue[0]);
  const endOldestByIdleTimeOut = (): void => {
    const oldest = queue.shift() as Slot<Row, unknown>;
    sieve.remove(oldest);
    gone.push(new WeakRef(oldest));
  };
  for (let n = 1; n <= 10_000; n += 1) {
    comes(n);
    if (queue.length > 100) endOldestByIdleTimeOut();
  }
  await collectAfterThisTurn();
  expect(gone.filter((slot) => slot.deref() !== undefined).length).toBeLessThan(100);
  expect(sieve.victim(() => {})).toBe(queue[0]);
});
