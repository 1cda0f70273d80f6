import { expect, test } from 'vitest';
import { makeRequest } from '../../src/messages/requests.js';
import { ownSignal } from '../../src/own-signal.js';
import { TimerQueue } from '../../src/shared-timers.js';
import { ManualClock } from 'hydrant/testing';
import { collectGarbage } from '../support/garbage.js';

/*
 * What a delivery makes is garbage a moment later, and a minor collection is to find it so. An object literal with a getter
 * gets a hidden class of its own, and a cancelled deadline that still knows the next one holds it: either keeps all that
 * belongs to a request until the next full collection, at several times the cost, and with longer pauses.
 */

const COUNT = 10_000;
const clock = new ManualClock();
const queue = new TimerQueue(clock, () => clock.monotonic(), 1_000);
const request = new Request('http://gateway.test/a', { method: 'POST' });
const bytes = new Uint8Array(8);

/** Objects that are made for each delivery and refer to `all`. */
const MADE: Record<string, (all: object) => unknown> = {
  'a request': (all) => Object.assign(makeRequest(request, bytes), { all }),
  'a context': (all) => ownSignal({ all }, new AbortController()),
  'a deadline that was cancelled': (all) => queue.add(() => all),
};

test.each(Object.keys(MADE))('%s is freed by the next minor garbage collection', { timeout: 60_000 }, async (name) => {
  const make = MADE[name] as (all: object) => unknown;
  const round = async (): Promise<void> => {
    // The request that exists when the collector runs grows old.
    let before = make({});
    for (let n = 0; n < COUNT; n += 1) {
      const one = make(Array.from({ length: 10 }));
      if (typeof before === 'function') before();
      before = one;
      // A stream is kept until its start has been awaited.
      if (n % 20 === 0) await undefined;
      if (n % 500 !== 0) continue;
      await new Promise((resolve) => { setImmediate(resolve); });
      collectGarbage({ type: 'minor' });
    }
    if (typeof before === 'function') before();
  };
  await round();
  const survivors: number[] = [];
  // On a busy machine the collector may run late and let one round grow old. A leak keeps the requests of every round.
  while (survivors.length < 4 && !survivors.some((each) => each < 30)) {
    collectGarbage({ type: 'major' });
    const used = process.memoryUsage().heapUsed;
    await round();
    collectGarbage({ type: 'minor' });
    survivors.push((process.memoryUsage().heapUsed - used) / COUNT);
  }
  expect(Math.min(...survivors), survivors.join()).toBeLessThan(30);
});
