import { describe, expect, test } from 'vitest';
import { Departing } from '../../src/slot/departing.js';
import { Effects } from '../../src/effects.js';
import { Slot } from '../../src/slot/state.js';

type Row = { id: string; version: string; status: 'active' };
const slotOf = (id: string): Slot<Row, unknown> =>
  new Slot<Row, unknown>({ id, version: '1', status: 'active' }, { create: () => '' }, 0, false);

describe('departing slots', () => {
  test('are known for as long as they are not disposed of, any number for one connection', () => {
    const departing = new Departing<Row, unknown>(new Map());
    const [first, second, other] = [slotOf('a'), slotOf('a'), slotOf('b')];
    for (const slot of [first, second, other]) departing.add(slot);
    expect([...departing.of('a')]).toEqual([first, second]);
    departing.remove(first);
    expect([...departing.of('a')]).toEqual([second]);
    expect(departing.size).toBe(2);
    departing.remove(second);
    expect([...departing.of('a')]).toEqual([]);
    expect(departing.size).toBe(1);
    departing.remove(slotOf('never came'));
    expect([...departing.all()]).toEqual([other]);
  });

  test('call each waiter of their connection once', () => {
    const departing = new Departing<Row, unknown>(new Map());
    const told: string[] = [];
    departing.onProgress('a', () => told.push('first'));
    departing.onProgress('a', () => told.push('second'));
    departing.onProgress('b', () => told.push('other'));
    departing.progressed('a');
    departing.progressed('a');
    expect(told).toEqual(['first', 'second']);
  });
});

describe('calls of user code', () => {
  test('finish before a call that they queue begins', () => {
    const effects = new Effects();
    const log: string[] = [];
    effects.add(() => {
      log.push('begins');
      effects.add(() => log.push('the other'));
      effects.flush();
      log.push('ends');
    });
    effects.flush();
    expect(log).toEqual(['begins', 'ends', 'the other']);
  });

  test('run once, in a microtask, if nothing flushes them', async () => {
    const effects = new Effects();
    const log: string[] = [];
    effects.add(() => { log.push('first'); effects.add(() => log.push('third')); });
    effects.add(() => log.push('second'));
    expect(log).toEqual([]);
    await Promise.resolve();
    expect(log).toEqual(['first', 'second', 'third']);
    effects.add(() => log.push('fourth'));
    effects.flush();
    effects.flush();
    await Promise.resolve();
    expect(log).toEqual(['first', 'second', 'third', 'fourth']);
  });
});
