import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeEach, describe, expect, test } from 'vitest';
import { Admission, type FreePermit } from '../../src/hydrate/admission.js';

const SLACK = {};
const TELEGRAM = {};
const OTHER = {};

describe('permits to hydrate', () => {
  let running: string[];
  let free: Map<string, FreePermit>;
  let admission: Admission<string>;
  const admit = (candidate: string, permit: FreePermit): void => {
    running.push(candidate);
    free.set(candidate, permit);
  };
  const enter = (...candidates: string[]): void => {
    for (const candidate of candidates) admission.enter(candidate, OTHER, undefined);
  };
  const end = async (candidate: string): Promise<void> => {
    free.get(candidate)?.();
    await Promise.resolve();
  };

  beforeEach(() => {
    running = [];
    free = new Map();
    admission = new Admission(2, 2, admit);
  });

  test('are granted at once while there are any, then in the order of the requests', async () => {
    enter('a', 'b', 'c', 'd');
    expect(running).toEqual(['a', 'b']);
    expect(admission.queued).toBe(2);
    await end('b');
    await end('a');
    expect(running).toEqual(['a', 'b', 'c', 'd']);
    expect(admission.queued).toBe(0);
  });

  test('are returned once, however often free is called', async () => {
    enter('a', 'b', 'c', 'd');
    await end('a');
    await end('a');
    expect(running).toEqual(['a', 'b', 'c']);
  });

  test('skip a waiter that left the queue', async () => {
    enter('a', 'b', 'c', 'd');
    admission.leave('c');
    expect(admission.queued).toBe(1);
    await end('a');
    expect(running).toEqual(['a', 'b', 'd']);
  });

  test('are refused when a queue is full, and not while a permit is free', () => {
    admission = new Admission(1, 0, admit);
    expect(admission.isFull(OTHER, undefined)).toBe(false);
    enter('a');
    expect(admission.isFull(OTHER, undefined)).toBe(true);
    admission = new Admission(1, 1, admit);
    enter('a');
    expect(admission.isFull(OTHER, undefined)).toBe(false);
    enter('b');
    expect(admission.isFull(OTHER, undefined)).toBe(true);
  });

  test('of a platform with a share are no more than that, and its queue is its own', async () => {
    admission = new Admission(3, 1, admit);
    admission.enter('slack 1', SLACK, 1);
    admission.enter('slack 2', SLACK, 1);
    expect(admission.isFull(SLACK, 1)).toBe(true);
    expect(admission.isFull(TELEGRAM, 1)).toBe(false);
    expect(admission.isFull(OTHER, undefined)).toBe(false);
    enter('other 1', 'other 2');
    expect(running).toEqual(['slack 1', 'other 1', 'other 2']);
    await end('other 1');
    expect(running).toEqual(['slack 1', 'other 1', 'other 2']);
    await end('slack 1');
    expect(running).toEqual(['slack 1', 'other 1', 'other 2', 'slack 2']);
  });

  test('go to the longest waiter, whatever its platform', async () => {
    admission = new Admission(1, 9, admit);
    enter('a');
    admission.enter('telegram 1', TELEGRAM, 1);
    enter('b');
    admission.enter('slack 1', SLACK, 1);
    for (const candidate of ['a', 'telegram 1', 'b']) await end(candidate);
    expect(running).toEqual(['a', 'telegram 1', 'b', 'slack 1']);
  });

  test('keep the async context of each waiter', async () => {
    const context = new AsyncLocalStorage<string>();
    admission = new Admission(1, 9, (candidate, permit) => admit(`${candidate} in ${context.getStore()}`, permit));
    context.run('the first', () => enter('a'));
    context.run('the second', () => enter('b'));
    await context.run('the first', () => end('a in the first'));
    expect(running).toEqual(['a in the first', 'b in the second']);
  });
});
