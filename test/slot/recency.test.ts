import { describe, expect, test } from 'vitest';
import { Recency } from '../../src/slot/recency.js';
import { Slot } from '../../src/slot/state.js';

type Row = { id: string; version: string; status: 'active' };

const slotOf = (id: string): Slot<Row, unknown> =>
  new Slot<Row, unknown>({ id, version: '1', status: 'active' }, { create: () => '' }, 0, false);

/** Slots that were used in this order and placed in the order of their names. */
function used(...ids: string[]): { recency: Recency<Row, unknown>; slots: Map<string, Slot<Row, unknown>> } {
  const recency = new Recency<Row, unknown>();
  const slots = new Map(ids.map((id) => [id, slotOf(id)]));
  for (const id of ids) recency.touch(slots.get(id) as Slot<Row, unknown>);
  for (const id of ids.toSorted()) recency.add(slots.get(id) as Slot<Row, unknown>);
  return { recency, slots };
}

describe('the order of use', () => {
  test('the least recently used slot comes first, whatever the order in which they were added', () => {
    const { recency, slots } = used('e', 'c', 'a', 'd', 'b');
    const order: string[] = [];
    for (let first = recency.leastRecentlyUsed(); first !== undefined; first = recency.leastRecentlyUsed()) {
      order.push(first.id);
      recency.remove(first);
    }
    expect(order).toEqual(['e', 'c', 'a', 'd', 'b']);
    expect([...slots.values()].map(({ queueIndex }) => queueIndex)).toEqual([-1, -1, -1, -1, -1]);
  });

  test('holds for every mixture of uses, removals and leases', () => {
    let seed = 7;
    const random = (below: number): number => { seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648; return seed % below; };
    for (let round = 0; round < 40; round += 1) {
      const recency = new Recency<Row, unknown>();
      const slots = Array.from({ length: 24 }, (_, index) => slotOf(`c${index}`));
      for (let step = 0; step < 120; step += 1) {
        const slot = slots[random(slots.length)] as Slot<Row, unknown>;
        const what = random(8);
        if (what === 0) recency.remove(slot);
        else if (what === 1) slot.leases = 1;
        else {
          slot.leases = 0;
          recency.touch(slot);
          if (what < 6) recency.add(slot);
        }
        const idle = slots.filter(({ queueIndex, leases }) => queueIndex >= 0 && leases === 0);
        const oldest = idle.toSorted((a, b) => a.usedOrder - b.usedOrder)[0];
        if (step % 5 === 0) expect(recency.leastRecentlyUsed()?.id).toBe(oldest?.id);
      }
    }
  });

  test('a slot that was added already is not added again', () => {
    const { recency, slots } = used('a');
    const slot = slots.get('a') as Slot<Row, unknown>;
    recency.add(slot);
    recency.remove(slot);
    expect(recency.leastRecentlyUsed()).toBeUndefined();
  });

  test('a leased slot that comes first is taken out', () => {
    const { recency, slots } = used('a', 'b');
    const a = slots.get('a') as Slot<Row, unknown>;
    a.leases = 1;
    expect(recency.leastRecentlyUsed()?.id).toBe('b');
    expect(a.queueIndex).toBe(-1);
  });

  describe('after enough slots that were used since they were added, the oldest of them is taken', () => {
    /** Placed as a, b, c, then used in this order. */
    const usedAgain = (...ids: string[]): Recency<Row, unknown> => {
      const { recency, slots } = used('a', 'b', 'c');
      for (const id of ids) recency.touch(slots.get(id) as Slot<Row, unknown>);
      return recency;
    };

    test.each([
      { order: ['c', 'b', 'a'], effort: 0, found: 'a' },
      { order: ['c', 'b', 'a'], effort: 1, found: 'a' },
      { order: ['c', 'b', 'a'], effort: 2, found: 'b' },
      { order: ['c', 'b', 'a'], effort: 3, found: 'c' },
      { order: ['a', 'c', 'b'], effort: 2, found: 'a' },
    ])('used as $order, with an effort of $effort: $found', ({ order, effort, found }) => {
      expect(usedAgain(...order).leastRecentlyUsed(effort)?.id).toBe(found);
    });
  });

  test('isFirst is true only once it is certain that no slot was used before', () => {
    const { recency, slots } = used('a', 'b');
    const [a, b] = [...slots.values()] as [Slot<Row, unknown>, Slot<Row, unknown>];
    expect({ a: recency.isFirst(a), b: recency.isFirst(b) }).toEqual({ a: true, b: false });
    recency.touch(a);
    expect(recency.isFirst(a)).toBe(false);
  });
});
