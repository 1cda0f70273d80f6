import { expect, test } from 'vitest';
import { ManualClock } from 'hydrant/testing';
import { within } from '../src/within.js';

test('a thenable that throws instead of settling rejects, and leaves no timer behind', async () => {
  const clock = new ManualClock();
  // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
  const work = { then() { throw new Error('no'); } } as unknown as PromiseLike<void>;
  await expect(within(clock, 1_000, work, () => {})).rejects.toThrow('no');
  expect(clock.pendingTimers).toBe(0);
});

test('a result after the deadline is dropped, and `overdue` decides', async () => {
  const clock = new ManualClock();
  const late = within<string>(clock, 1_000, new Promise(() => {}), () => 'overdue');
  await clock.advance(1_000);
  expect(await late).toBe('overdue');
});
