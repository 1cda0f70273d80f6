import { describe, expect, test } from 'vitest';
import { Departing } from '../../src/slot/departing.js';
import { Effects } from '../../src/effects.js';
import { Slot } from '../../src/slot/state.js';

type Row = { id: string; version: string; status: 'active' };
const slotOf = (id: string): Slot<Row, unknown> =>
  new Slot<Row, unknown>({ id, version: '1', status: 'active' }, { create: () => '' }, 0);

describe('slots that are on their way out', () => {
  test('any number of one connection are known, each until it is gone', () => {
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

  test('everyone who waits for a connection is told once', () => {
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

describe('calls into foreign code', () => {
  test('one that flushes and asks for another is finished before the other begins', () => {
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

  test('run in a microtask when nobody flushes, and once', async () => {
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
