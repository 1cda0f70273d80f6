import assert from 'node:assert/strict';
import { systemClock } from '../../clock.js';
import type { InstanceFactory } from '../../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../../contracts/record.js';
import { within } from '../../within.js';

/** How the server (a chat server, a database, a vendor's API) treats new connections from now on. */
export type FarSideMode = 'serve' | 'refuse' | 'reset' | 'hang';

/** A factory, and the server that its instances connect to. Every test makes one of its own and closes it. */
export interface FactoryUnderTest<R extends ConnectionRecord, I> {
  readonly factory: InstanceFactory<R, I>;
  /** A row whose instance starts. */
  readonly record: R;
  /**
   * A row whose start fails, because of a wrong password or a revoked token. Leave it out only if a start makes no call,
   * as with a pool. The suite then expects that `use` fails while the server is gone.
   */
  readonly failing?: R;
  /** `'refuse'`: no connection. `'reset'`: cut while it starts. `'hang'`: never answered. */
  behave(mode: FarSideMode): Awaitable<unknown>;
  /** The number of connections that the server has open. If clients keep connections alive, let the server close idle ones. */
  open(): Awaitable<number>;
  /** Cuts all open connections, so that the instance gets an `'error'` event. Required by the capability `connected`. */
  reset?(): Awaitable<unknown>;
  /** Closes all open connections in an orderly way. With the capability `connected`. */
  hangUp?(): Awaitable<unknown>;
  /** Makes the instance do something that reaches the server. Rejects if it cannot. */
  use(instance: I): Awaitable<unknown>;
  /** The number of messages or calls that the server has received, from all instances. */
  received(): Awaitable<number>;
  /** Sends an event to every open connection. With the capability `events`. */
  push?(): Awaitable<unknown>;
  /** The number of events that reached the application, through any instance. With the capability `events`. */
  heard?(): Awaitable<number>;
  /** The number of listeners on an object that the instances share, such as one Redis client. */
  listeners?(): number;
  close?(): Awaitable<unknown>;
}

/** Capabilities of the factory's instances. The suite fails if one is true and its member of the subject is missing. */
export interface FactoryCapabilities {
  /** An instance keeps a connection open for its life. */
  readonly connected?: boolean;
  /** An instance receives events over its connection. */
  readonly events?: boolean;
  /** The longest time for a start, a stop and the server, in milliseconds. Default 2 000. */
  readonly timeoutMs?: number;
  /** The number of instances that are started and stopped to find leaks. Default 100. */
  readonly lives?: number;
}

/** Passed to every part of the suite. */
export interface Suite<R extends ConnectionRecord, I> {
  readonly capabilities: FactoryCapabilities;
  readonly timeoutMs: number;
  test(name: string, run: (subject: FactoryUnderTest<R, I>) => Promise<void>): void;
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    systemClock.setTimeout(resolve, ms, { ref: true });
  });

/** A step that did not end. A class of its own, because a factory may throw an AssertionError as well. */
class Overdue extends assert.AssertionError {}

/** The result of `work`, or a failure that names the step that did not end. */
export const inTime = <T>(what: string, timeoutMs: number, work: PromiseLike<T>): Promise<T> =>
  within(systemClock, timeoutMs, work, () => {
    throw new Overdue({ message: `not within ${timeoutMs} ms: ${what}` });
  });

/** Waits until `read` returns `expected`, because the server learns of an end a little later. */
export async function becomes(what: string, expected: number, timeoutMs: number, read: () => Awaitable<number>): Promise<void> {
  const deadline = systemClock.monotonic() + timeoutMs;
  for (let value = await read(); value !== expected; value = await read()) {
    assert.ok(systemClock.monotonic() < deadline, `${what}: expected ${expected}, got ${value} after ${timeoutMs} ms`);
    await pause(5);
  }
}

/** A member that a capability promises. */
export function promised<T>(member: T | undefined, name: string): T {
  assert.ok(member !== undefined, `the capabilities promise ${name}, but it is missing`);
  return member;
}

/** A start may fail in any way, but it must end. */
export function unlessOverdue(error: unknown): void {
  if (error instanceof Overdue) throw error;
}

/** Runs `work` and fails for exceptions and rejections that nobody catches, because outside of a test they end the process. */
export async function survived<T>(work: () => Promise<T>): Promise<T> {
  const uncaught: unknown[] = [];
  // A runner's own listeners do not see what this callback gets.
  assert.ok(!process.hasUncaughtExceptionCaptureCallback(), 'another part of the process captures uncaught exceptions');
  const note = (error: unknown): void => { uncaught.push(error); };
  process.setUncaughtExceptionCaptureCallback(note);
  const runners = process.rawListeners('unhandledRejection') as (() => void)[];
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  try {
    const result = await work();
    await pause(20);
    // A timer that is late fires before the sockets are looked at. Behind it they can tell their errors.
    await pause(0);
    assert.deepEqual(
      uncaught.map(String),
      [],
      "an 'error' event without a listener, or an exception or rejection that nobody catches, ends the process",
    );
    return result;
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
    process.off('unhandledRejection', note);
    for (const listener of runners) process.on('unhandledRejection', listener);
  }
}
