import fc from 'fast-check';
import { ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../src/clock.js';
import { TimerQueue, withSharedTimers } from '../src/shared-timers.js';

const MS = 100;
const unchanged = <A extends readonly unknown[], T>(work: (...args: A) => T, ...args: A): T => work(...args);
const nextTurn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

describe('deadlines that share a timer', () => {
  let clock: ManualClock;
  let queue: TimerQueue;
  let fired: string[];
  const add = (name: string): (() => void) => queue.add(() => fired.push(`${name} at ${clock.monotonic()}`));

  beforeEach(() => {
    clock = new ManualClock();
    queue = new TimerQueue(clock, clock.monotonic, MS);
    fired = [];
  });

  test('are each called at their own time, in the order in which they were set', async () => {
    add('a');
    await clock.advance(30);
    add('b');
    add('c');
    await clock.advance(200);
    expect(fired).toEqual(['a at 100', 'b at 130', 'c at 130']);
  });

  test('have one timer', async () => {
    add('a');
    await clock.advance(10);
    add('b');
    expect(clock.pendingTimers).toBe(1);
  });

  test('keep the process alive while there is one', () => {
    add('a');
    expect(clock.pendingRefTimers).toBe(1);
  });

  test('let the process end a turn after the last one was cancelled', async () => {
    const cancelA = add('a');
    add('b')();
    cancelA();
    await clock.advance(0);
    await nextTurn();
    expect(clock.pendingTimers).toBe(0);
  });

  test('let the process end each time that there is none left', async () => {
    for (const name of ['a', 'b']) {
      add(name)();
      expect(clock.pendingTimers).toBe(1);
      await nextTurn();
      expect(clock.pendingTimers).toBe(0);
    }
  });

  test('are not lost when one that has fired is cancelled again', async () => {
    const [a, b] = [add('a'), add('b')];
    add('c');
    a();
    b();
    a();
    await clock.advance(MS);
    expect(fired).toEqual(['c at 100']);
    const d = add('d');
    await clock.advance(MS);
    add('e');
    d();
    await clock.advance(MS);
    expect(fired).toEqual(['c at 100', 'd at 200', 'e at 300']);
  });

  test('are not called once cancelled: the first, a middle one, the last, or one twice', async () => {
    const [first, second, third, fourth] = ['a', 'b', 'c', 'd', 'e'].map(add) as [() => void, () => void, () => void, () => void];
    first();
    third();
    first();
    await clock.advance(50);
    fourth();
    second();
    await clock.advance(100);
    expect(fired).toEqual(['e at 100']);
  });

  test('are still called when one was set after the last one had been cancelled in the same turn', async () => {
    await clock.advance(30);
    add('a')();
    add('b');
    await nextTurn();
    await clock.advance(500);
    expect(fired).toEqual(['b at 130']);
  });

  test('may be set and cancelled by one of them', async () => {
    const cancels: (() => void)[] = [];
    queue.add(() => { cancels[0]?.(); add('c'); });
    cancels.push(add('b'));
    await clock.advance(500);
    expect(fired).toEqual(['c at 200']);
  });

  test('are called although an earlier one threw', () => {
    queue.add(() => { throw new Error('from a deadline'); });
    add('b');
    expect(() => clock.advanceSync(MS)).toThrow('from a deadline');
    clock.advanceSync(1);
    expect(fired).toEqual(['b at 100']);
  });

  test('are all called when they are due and the platform is late', () => {
    let time = 0;
    let fire: () => void = () => {};
    const late = {
      now: () => 0,
      monotonic: () => time,
      setTimeout: (callback: () => void) => {
        fire = callback;
        return () => {};
      },
    };
    const lateQueue = new TimerQueue(late, late.monotonic, MS);
    lateQueue.add(() => fired.push('a'));
    time = 30;
    lateQueue.add(() => fired.push('b'));
    time = 90;
    lateQueue.add(() => fired.push('c'));
    time = 150;
    fire();
    expect(fired).toEqual(['a', 'b']);
  });

  test('are called when the platform calls a moment early by its other clock', () => {
    let fire: () => void = () => {};
    const early = {
      now: () => 0,
      monotonic: () => 0,
      setTimeout: (callback: () => void) => {
        fire = callback;
        return () => {};
      },
    };
    new TimerQueue(early, early.monotonic, MS).add(() => fired.push('a'));
    fire();
    expect(fired).toEqual(['a']);
  });

  test('behave like separate timers, whatever is set and cancelled when', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const) }),
      fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(20) }),
      fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(MS) }),
    );
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const run = async (setTimer: (clock: ManualClock) => (callback: () => void) => () => void): Promise<string[]> => {
        const own = new ManualClock();
        const set = setTimer(own);
        const calls: string[] = [];
        const cancels: (() => void)[] = [];
        for (const each of steps) {
          if (each.kind === 'add') {
            const name = cancels.length;
            cancels.push(set(() => calls.push(`${name} at ${own.monotonic()}`)));
          } else if (each.kind === 'cancel') cancels[each.which]?.();
          else own.advanceSync(each.ms);
        }
        await own.advance(MS);
        return calls;
      };
      const shared = await run((own) => {
        const all = new TimerQueue(own, own.monotonic, MS);
        return (callback) => all.add(callback);
      });
      const plain = await run((own) => (callback) => own.setTimeout(callback, MS, { ref: true }));
      expect(shared).toEqual(plain);
    }));
  });
});

test("on the system's clock those of one duration share a timer, except timers that do not keep the process alive", () => {
  const held = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const before = held();
  const clock = withSharedTimers(systemClock, [60_000, 70_000], unchanged);
  const set = (ms: number, ref = true): (() => void) => clock.setTimeout(() => {}, ms, { ref });
  const cancels = [set(60_000), set(60_000), set(60_000)];
  expect(held() - before).toBe(1);
  cancels.push(set(70_000), set(70_000));
  expect(held() - before).toBe(2);
  cancels.push(set(80_000), set(80_000));
  expect(held() - before).toBe(4);
  cancels.push(set(60_000, false), set(80_000, false));
  expect(held() - before).toBe(4);
  for (const cancel of cancels) cancel();
});

test('a clock of the caller has a timer for each deadline', () => {
  const clock = new ManualClock();
  const wrapped = withSharedTimers(clock, [MS], unchanged);
  wrapped.setTimeout(() => {}, MS, { ref: true });
  wrapped.setTimeout(() => {}, MS, { ref: true });
  expect(clock.pendingTimers).toBe(2);
});

test.each([
  { clock: systemClock, whose: "the system's" },
  { clock: new ManualClock(), whose: "the caller's" },
])('timers of $whose clock are set in the context that was passed in', ({ clock }) => {
  let set = 0;
  const own: typeof unchanged = (work, ...args) => {
    set += 1;
    return work(...args);
  };
  const wrapped = withSharedTimers(clock, [MS], own);
  const cancels = [MS, MS, 2 * MS].map((ms) => wrapped.setTimeout(() => {}, ms, { ref: true }));
  expect(set).toBe(clock === systemClock ? 2 : 3);
  for (const cancel of cancels) cancel();
});
