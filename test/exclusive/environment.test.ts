import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { TestEnvironment, turn } from './support/environment.js';

describe('the start queue', () => {
  test('starts at most maxConcurrentStarts at a time, in order, and the next one when one is done', async () => {
    const environment = new TestEnvironment({ maxConcurrentStarts: 2 });
    const begun: number[] = [];
    const done: (() => void)[] = [];
    for (const n of [1, 2, 3, 4]) environment.queueStart((startDone) => { begun.push(n); done.push(startDone); });
    expect(begun, 'nothing begins before queueStart has returned').toEqual([]);
    await turn();
    expect(begun).toEqual([1, 2]);
    done[0]!();
    done[0]!();
    await turn();
    expect(begun, 'a start that says twice that it is done makes room once').toEqual([1, 2, 3]);
  });

  test('skips starts that left: queued ones and one that was just let in', async () => {
    const environment = new TestEnvironment({ maxConcurrentStarts: 1 });
    const begun: number[] = [];
    let done: (() => void) | undefined;
    const letIn = environment.queueStart(() => begun.push(1));
    const queued = environment.queueStart(() => begun.push(2));
    environment.queueStart((startDone) => { begun.push(3); done = startDone; });
    queued();
    letIn();
    await turn();
    expect(begun).toEqual([3]);
    done!();
    environment.queueStart(() => begun.push(4));
    await turn();
    expect(begun).toEqual([3, 4]);
  });
});

describe('a request', () => {
  test('has a deadline that keeps the process alive, and its signal aborts then', async () => {
    const environment = new TestEnvironment();
    const { clock } = environment;
    let signal: AbortSignal | undefined;
    const request = environment.request(100, (options) => { signal = options.signal; return new Promise(() => {}); });
    request.catch(() => {});
    expect({ pending: clock.pendingTimers, ref: clock.pendingRefTimers }).toEqual({ pending: 1, ref: 1 });
    await clock.advance(100);
    await expect(request).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: 'No answer within 100 ms' });
    expect(signal?.reason).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  test('that was answered is over: its signal does not abort when the others are given up', async () => {
    const environment = new TestEnvironment();
    let signal: AbortSignal | undefined;
    await environment.request(100, (options) => { signal = options.signal; });
    environment.giveUp();
    expect(signal?.aborted).toBe(false);
  });

  test('may return a value, a promise or throw, and leaves no timer behind', async () => {
    const environment = new TestEnvironment();
    for (const answer of [() => 1, async () => 1]) expect(await environment.request(100, answer)).toBe(1);
    await expect(environment.request(100, () => { throw new Error('at once'); })).rejects.toThrow('at once');
    expect(environment.clock.pendingTimers).toBe(0);
  });
});

describe('everything that is abandoned', () => {
  test('rejects at once, aborts its signal, and is not sent again', async () => {
    const environment = new TestEnvironment();
    let signal: AbortSignal | undefined;
    const request = environment.request(60_000, (options) => { signal = options.signal; return new Promise(() => {}); });
    environment.giveUp();
    await expect(request).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: 'No answer before the runner had to stop',
    });
    expect({ aborted: signal!.aborted, timers: environment.clock.pendingTimers }).toEqual({ aborted: true, timers: 0 });
    let asked = false;
    await expect(environment.request(60_000, () => { asked = true; })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(asked).toBe(false);
  });
});

describe('a call to foreign code', () => {
  test('runs in the async context in which the environment was made', () => {
    const context = new AsyncLocalStorage<string>();
    const environment = context.run('runner', () => new TestEnvironment());
    expect(context.run('request', () => environment.inOwnContext(() => context.getStore()))).toBe('runner');
  });
});
