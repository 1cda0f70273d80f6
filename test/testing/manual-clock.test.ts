import { ManualClock, settle } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';

describe('ManualClock', () => {
  let clock: ManualClock;
  let fired: string[];
  const at = (ms: number, name: string, ref = true): (() => void) =>
    clock.setTimeout(
      () => {
        fired.push(`${name} at ${clock.monotonic()}`);
      },
      ms,
      { ref },
    );
  beforeEach(() => {
    clock = new ManualClock();
    fired = [];
  });

  test('stands still until it is moved, and then moves both clocks', async () => {
    expect({ now: clock.now(), monotonic: clock.monotonic() }).toEqual({ now: 1_700_000_000_000, monotonic: 0 });
    await clock.advance(250);
    expect({ now: clock.now(), monotonic: clock.monotonic() }).toEqual({ now: 1_700_000_000_250, monotonic: 250 });
    clock.advanceSync(50);
    expect({ now: clock.now(), monotonic: clock.monotonic() }).toEqual({ now: 1_700_000_000_300, monotonic: 300 });
  });

  test('starts at the given times', () => {
    expect(new ManualClock(5_000).now()).toBe(5_000);
  });

  test('may let the wall clock jump alone, without a timer firing earlier', () => {
    at(100, 'a');
    clock.jumpWall(-3_600_000);
    clock.jumpWall(1_000);
    clock.advanceSync(99);
    expect({ now: clock.now(), fired }).toEqual({ now: 1_700_000_000_000 - 3_600_000 + 1_000 + 99, fired: [] });
    clock.advanceSync(1);
    expect(fired).toEqual(['a at 100']);
  });

  test('sleeps as a machine does: the wall clock and the uptime go on, and no timer fires', async () => {
    at(100, 'a');
    await clock.advance(50);
    clock.sleep(3_600_000);
    clock.sleep(1_000);
    await clock.advance(49);
    expect({ now: clock.now(), monotonic: clock.monotonic(), uptime: clock.uptime(), fired }).toEqual({
      now: 1_700_003_601_099, monotonic: 99, uptime: 3_601_099, fired: [],
    });
    await clock.advance(1);
    expect(fired).toEqual(['a at 100']);
  });

  test.each(['advance', 'advanceSync'] as const)(
    '%s fires due timers in order, each at its time, and simultaneous ones in the order in which they were set',
    async (advance) => {
      at(300, 'last');
      at(100, 'first');
      at(200, 'second');
      at(100, 'first, too');
      at(400, 'later');
      await clock[advance](300);
      expect(fired).toEqual(['first at 100', 'first, too at 100', 'second at 200', 'last at 300']);
      expect({ monotonic: clock.monotonic(), pendingTimers: clock.pendingTimers }).toEqual({ monotonic: 300, pendingTimers: 1 });
    },
  );

  test.each(['advance', 'advanceSync'] as const)(
    '%s also fires due timers that another timer has set',
    async (advance) => {
      clock.setTimeout(
        () => {
          at(100, 'set at 100');
          at(101, 'too late');
        },
        100,
        { ref: true },
      );
      await clock[advance](200);
      expect(fired).toEqual(['set at 100 at 200']);
    },
  );

  test('fires no timer in the past: an overdue one is due now', async () => {
    await clock.advance(100);
    at(-50, 'overdue');
    expect(clock.nextTimerAt).toBe(100);
    await clock.advance(0);
    expect(fired).toEqual(['overdue at 100']);
  });

  test.each(['advance', 'advanceSync'] as const)('%s does not go back where a timer has moved it on', async (advance) => {
    clock.setTimeout(() => clock.advanceSync(50), 100, { ref: true });
    at(120, 'meanwhile');
    at(160, 'after');
    await clock[advance](200);
    expect(fired).toEqual(['meanwhile at 120', 'after at 160']);
    expect({ monotonic: clock.monotonic(), now: clock.now() }).toEqual({ monotonic: 200, now: 1_700_000_000_200 });
  });

  test('never fires a cancelled timer', async () => {
    const cancel = at(100, 'cancelled');
    at(100, 'not cancelled');
    cancel();
    cancel();
    await clock.advance(100);
    expect(fired).toEqual(['not cancelled at 100']);
  });

  test('reports pending timers, those that keep the process alive, and when the next is due', () => {
    expect(clock).toMatchObject({ pendingTimers: 0, pendingRefTimers: 0, nextTimerAt: undefined });
    at(300, 'a');
    at(200, 'b', false);
    expect(clock).toMatchObject({ pendingTimers: 2, pendingRefTimers: 1, nextTimerAt: 200 });
    clock.advanceSync(200);
    expect(clock).toMatchObject({ pendingTimers: 1, pendingRefTimers: 1, nextTimerAt: 300 });
  });

  test('lets promises settle before the first timer, after each, and at the end of advance', async () => {
    const heard: string[] = [];
    const hear = (name: string): Promise<void> => settle().then(() => { heard.push(name); });
    clock.setTimeout(() => { heard.push('timer'); void hear('what the timer began'); }, 100, { ref: true });
    clock.setTimeout(() => { heard.push('next timer'); void hear('what the next began'); }, 200, { ref: true });
    void hear('what was under way');
    await clock.advance(200);
    expect(heard).toEqual(['what was under way', 'timer', 'what the timer began', 'next timer', 'what the next began']);
  });

  test('lets no promise settle in advanceSync', () => {
    let settled = false;
    void Promise.resolve().then(() => { settled = true; });
    clock.advanceSync(100);
    expect(settled).toBe(false);
  });
});

describe('settle', () => {
  test('runs everything that is ready, however long its chain of promises', async () => {
    let links = 0;
    const chain = async (): Promise<void> => { for (; links < 100; links += 1) await Promise.resolve(); };
    void chain();
    await settle();
    expect(links).toBe(100);
  });
});
