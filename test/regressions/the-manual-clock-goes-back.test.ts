import { expect, test } from 'vitest';
import { ManualClock } from 'hydrant/testing';

test.each(['advance', 'advanceSync'] as const)(
  '%s leaves the clock where a timer has moved it, beyond the end',
  async (advance) => {
    const clock = new ManualClock();
    const workOf500Ms = (): void => clock.advanceSync(500);
    clock.setTimeout(workOf500Ms, 100, { ref: true });
    await clock[advance](200);
    expect({ monotonic: clock.monotonic(), now: clock.now() }).toEqual({ monotonic: 600, now: 1_700_000_000_600 });
  },
);
