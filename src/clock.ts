/** The only source of time. In tests, pass a `ManualClock` of `hydrant/testing`. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** A clock that never goes back, in milliseconds from any origin. Every bound is measured on it. */
  monotonic(): number;
  /**
   * Calls back once after `ms` (at most 2^31 - 1), and returns a function that cancels the timer. A timer with
   * `ref: false` does not keep the process alive.
   */
  setTimeout(callback: () => void, ms: number, options: { ref: boolean }): () => void;
  /**
   * The time since the machine was started, in milliseconds. It goes on while the machine sleeps and ignores changes of the
   * wall clock. Optional: with it, an owner of a claim notices a sleep even if the wall clock was set back meanwhile.
   */
  uptime?(): number;
}

interface NodeTimer { unref?(): unknown }
interface Runtime {
  readonly process?: { readonly platform?: string; getBuiltinModule?(name: string): { uptime?(): number } | undefined };
  readonly Bun?: unknown;
  readonly Deno?: unknown;
}

/** The system's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  uptime: () => (readUptime ??= uptimeReader())(),
  setTimeout(callback, ms, { ref }) {
    const timer: unknown = setTimeout(callback, ms);
    // Browsers and workerd return a number, which has no `unref`: there nothing is kept alive anyway.
    if (!ref) (timer as NodeTimer).unref?.();
    return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
};

let readUptime: (() => number) | undefined;

/**
 * Only Node on Linux and Windows shows an uptime with fractions of a second. macOS and Bun count whole seconds, which is
 * too coarse for short claims, and Deno asks the user for permission.
 */
function uptimeReader(): () => number {
  const { process, Bun, Deno } = globalThis as Runtime;
  const isFine = (process?.platform === 'linux' || process?.platform === 'win32') && Bun === undefined && Deno === undefined;
  const uptime = isFine ? process.getBuiltinModule?.('node:os')?.uptime : undefined;
  return () => {
    try {
      if (uptime !== undefined) return uptime() * 1_000;
    } catch {
      // A sandbox may hide it.
    }
    return performance.now();
  };
}

/**
 * Calls back in the next turn of the event loop: a place in the order of events, not a duration. It cannot be cancelled,
 * because Node 20 miscounts its immediates when it clears one that a fake timer made, and then may run none.
 */
export function onNextTurn(callback: () => void): void {
  if (typeof setImmediate === 'function') setImmediate(callback);
  else setTimeout(callback, 0);
}

const settled = Promise.resolve();

/** Calls back when what runs now is done. `queueMicrotask` makes an async resource for each call, at several times the cost. */
export function onMicrotask(callback: () => void): void {
  void settled.then(callback);
}

/**
 * Reads a clock at most once per turn of the event loop, because a read costs as much as a look-up. Rounds up to whole
 * milliseconds, because a stored number with a fraction takes an object of its own. Only the system's clock is read that
 * rarely: another clock may be moved by hand in the middle of a turn.
 */
export function oncePerTurn(clock: Clock): () => number {
  if (clock !== systemClock) return () => Math.ceil(clock.monotonic());
  let now: number | undefined;
  const expire = (): void => { now = undefined; };
  return () => {
    if (now === undefined) {
      now = Math.ceil(clock.monotonic());
      onNextTurn(expire);
    }
    return now;
  };
}
