import assert from 'node:assert/strict';
import type { ConnectionRecord } from '../../contracts/record.js';
import { pause, type FactoryUnderTest } from './harness.js';

/** The time after the last end in which sockets and timers may close, in milliseconds. */
const QUIET_MS = 50;

/** How many of a kind pooled or keep-alive connections may keep, for any number of repetitions. */
const KEPT = 4;

/** The folder in which Linux and macOS list the open files and sockets of this process. */
const DESCRIPTORS = '/dev/fd';

/** Imported when the suite runs, so that importing this entry needs neither `node:fs` nor `node:async_hooks`. */
function openDescriptors(): number {
  const { existsSync, readdirSync } = process.getBuiltinModule('node:fs');
  return existsSync(DESCRIPTORS) ? readdirSync(DESCRIPTORS).length : 0;
}

/**
 * Runs `live` once, and then `times` times. Fails if the repetitions left something behind. Node lists only resources
 * that keep the process alive, so intervals, files and sockets are counted apart.
 */
export async function leavesNothing<R extends ConnectionRecord, I>(
  subject: FactoryUnderTest<R, I>,
  times: number,
  what: string,
  live: () => Promise<unknown>,
): Promise<void> {
  const intervals = new Intervals();
  const count = async (): Promise<[kind: string, number: number][]> => {
    await pause(QUIET_MS);
    return [
      ['listeners', (subject.listeners?.() ?? 0) + listenersOn(process)],
      ['intervals', intervals.count],
      ['open files or sockets', openDescriptors()],
      ['timers, sockets or handles', process.getActiveResourcesInfo().length],
    ];
  };
  try {
    await live();
    const before = new Map(await count());
    for (let n = 0; n < times; n += 1) await live();
    for (const [kind, number] of await count()) {
      const left = number - (before.get(kind) ?? 0);
      assert.ok(left <= KEPT, `${times} ${what} left ${left} ${kind}`);
    }
  } finally {
    intervals.end();
  }
}

const listenersOn = (emitter: NodeJS.EventEmitter): number =>
  emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);

/** Counts the intervals that were made and not cleared. An interval that was `unref`ed is in no list of Node's. */
class Intervals {
  readonly #timers = new Map<number, object>();
  readonly #made = new WeakSet<object>();
  readonly #setInterval = globalThis.setInterval;
  readonly #hook = process.getBuiltinModule('node:async_hooks').createHook({
    init: (id, type, _trigger, timer) => { if (type === 'Timeout') this.#timers.set(id, timer); },
    destroy: (id) => { this.#timers.delete(id); },
  }).enable();

  constructor() {
    const make = (...rest: Parameters<typeof setInterval>): NodeJS.Timeout => {
      const interval = this.#setInterval(...rest);
      this.#made.add(interval);
      return interval;
    };
    globalThis.setInterval = Object.assign(make, this.#setInterval);
  }

  get count(): number {
    return [...this.#timers.values()].filter((timer) => this.#made.has(timer)).length;
  }

  end(): void {
    globalThis.setInterval = this.#setInterval;
    this.#hook.disable();
  }
}
