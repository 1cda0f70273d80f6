import { ManualClock } from 'hydrant/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { oncePerTurn, onMicrotask, onNextTurn, systemClock } from '../src/clock.js';

/** How many timers keep this process alive. */
const holding = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
const nextTurn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("the system's clock", () => {
  test('has the wall clock, and one that never goes back', () => {
    vi.spyOn(Date, 'now').mockReturnValue(1_700_000_000_000);
    vi.spyOn(performance, 'now').mockReturnValue(42);
    expect({ now: systemClock.now(), monotonic: systemClock.monotonic() }).toEqual({ now: 1_700_000_000_000, monotonic: 42 });
  });

  describe('its uptime', () => {
    const uptimeOn = async (globals: Record<string, unknown>): Promise<number> => {
      vi.resetModules();
      const clock = (await import('../src/clock.js')).systemClock;
      vi.spyOn(performance, 'now').mockReturnValue(42);
      for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
      const uptime = clock.uptime!();
      vi.unstubAllGlobals();
      return uptime;
    };
    const runtime = (platform: string, uptime: () => number) => ({ platform, getBuiltinModule: () => ({ uptime }) });

    test.each(['linux', 'win32'])("is the system's on %s", async (platform) => {
      expect(await uptimeOn({ process: runtime(platform, () => 7.5) })).toBe(7_500);
    });

    test.each([
      { where: 'on macOS', globals: { process: runtime('darwin', () => 7) } },
      { where: 'on Bun', globals: { process: runtime('linux', () => 7), Bun: {} } },
      { where: 'on Deno', globals: { process: runtime('linux', () => 7), Deno: {} } },
      { where: 'without a process', globals: { process: undefined } },
      { where: 'without built-in modules', globals: { process: { platform: 'linux' } } },
      { where: 'in a sandbox that hides it', globals: { process: runtime('linux', () => { throw new Error('EPERM'); }) } },
    ])('is the monotonic clock $where', async ({ globals }) => {
      expect(await uptimeOn(globals)).toBe(42);
    });
  });

  test('calls back once the time has passed', async () => {
    await new Promise<void>((resolve) => { systemClock.setTimeout(resolve, 0, { ref: true }); });
  });

  test.each([
    { ref: true, held: 1 },
    { ref: false, held: 0 },
  ])('its timers keep the process alive until they are cancelled, if asked to: ref $ref', ({ ref, held }) => {
    const before = holding();
    const cancel = systemClock.setTimeout(() => {}, 60_000, { ref });
    expect(holding() - before).toBe(held);
    cancel();
    expect(holding()).toBe(before);
  });

  test.each([
    { what: 'a number, as in browsers', timer: 5 },
    { what: 'an object that keeps nothing alive', timer: {} },
  ])('a timer that is $what is never unreferenced', ({ timer }) => {
    vi.stubGlobal('setTimeout', () => timer);
    expect(() => systemClock.setTimeout(() => {}, 1, { ref: false })).not.toThrow();
  });
});

describe('a clock that is read once per turn', () => {
  test("stands still within a turn of the event loop, for the system's clock alone", async () => {
    const read = vi.spyOn(performance, 'now');
    const now = oncePerTurn(systemClock);
    read.mockReturnValue(1);
    expect(now()).toBe(1);
    read.mockReturnValue(2);
    expect(now()).toBe(1);
    await nextTurn();
    expect(now()).toBe(2);
    read.mockReturnValue(3);
    expect(now()).toBe(2);
    await nextTurn();
    expect(now()).toBe(3);
  });

  test('shows at once when a manual clock is moved', () => {
    const clock = new ManualClock();
    const now = oncePerTurn(clock);
    expect(now()).toBe(0);
    clock.advanceSync(5);
    expect(now()).toBe(5);
  });
});

test('a platform without setImmediate has turns as well', async () => {
  vi.stubGlobal('setImmediate', undefined);
  await new Promise<void>(onNextTurn);
});

test('runs in order: the current code, its microtasks, the next turn', async () => {
  const order: string[] = [];
  onNextTurn(() => order.push('turn'));
  onMicrotask(() => order.push('microtask'));
  order.push('now');
  await nextTurn();
  expect(order).toEqual(['now', 'microtask', 'turn']);
});
