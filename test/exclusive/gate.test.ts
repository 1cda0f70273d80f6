import { describe, expect, test } from 'vitest';
import { StartGate } from '../../src/exclusive/gate.js';

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

describe('the gate for starts', () => {
  test('lets in as many as it may, first come first served, and the next when one leaves', async () => {
    const gate = new StartGate(2);
    const began: number[] = [];
    for (const n of [1, 2, 3, 4]) gate.enter(() => began.push(n));
    expect(began, 'nobody begins before enter has returned').toEqual([]);
    await turn();
    expect(began).toEqual([1, 2]);
    gate.leave();
    await turn();
    expect(began).toEqual([1, 2, 3]);
  });

  test('gives the place of one that gave up to the next: while it waits, and when it was just let in', async () => {
    const gate = new StartGate(1);
    const began: number[] = [];
    const letIn = gate.enter(() => began.push(1));
    const waiting = gate.enter(() => began.push(2));
    gate.enter(() => began.push(3));
    waiting();
    letIn();
    await turn();
    expect(began).toEqual([3]);
    gate.leave();
    gate.enter(() => began.push(4));
    await turn();
    expect(began).toEqual([3, 4]);
  });
});
