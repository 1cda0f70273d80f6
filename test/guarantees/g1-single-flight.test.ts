import { describe, expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

describe('G1 single-flight', () => {
  test('1000 concurrent cold uses cause one create and at most two row reads', async () => {
    const h = new Harness();
    h.rows.put('a');
    const gate = h.holdCreate();
    const uses = Array.from({ length: 1000 }, () => h.registry.use('a', (instance) => instance));
    await h.settle();
    gate.resolve();
    expect(new Set(await Promise.all(uses)).size).toBe(1);
    expect(h.creates).toBe(1);
    expect(h.rows.reads.length).toBeLessThanOrEqual(2);
  });

  test('uses that arrive while the row is read, and while it is created, share the create', async () => {
    const h = new Harness();
    h.rows.put('a');
    h.rows.hold();
    const gate = h.holdCreate();
    const first = h.registry.use('a', (instance) => instance);
    await h.settle();
    const second = h.registry.use('a', (instance) => instance);
    h.rows.letAllGo();
    await h.settle();
    const third = h.registry.use('a', (instance) => instance);
    await h.settle();
    gate.resolve();
    const [one, two, three] = await Promise.all([first, second, third]);
    expect({ two, three }).toEqual({ two: one, three: one });
    expect(h.creates).toBe(1);
  });

  test('a factory that returns or throws synchronously is single-flight as well', async () => {
    const h = new Harness();
    h.rows.put('a');
    await Promise.all(Array.from({ length: 10 }, () => h.registry.use('a', () => {})));
    expect(h.creates).toBe(1);

    let creates = 0;
    const failing = new Harness({ factory: { create: () => { creates += 1; throw new Error('no'); } } });
    failing.rows.put('a');
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => failing.registry.use('a', () => {})));
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(creates).toBe(1);
  });
});
