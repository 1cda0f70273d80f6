import { ManualClock } from 'hydrant/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Backoff } from '../../src/backoff.js';
import { Harness } from '../support/harness.js';

/*
 * An instance that dies a few seconds after each create logs in again with each create. Platforms count log-ins: Discord
 * resets the token of a bot after a thousand in a day.
 */

const DAY_MS = 86_400_000;
const DEFAULT = { initialMs: 500, maxMs: 60_000 };
const PATIENT = { initialMs: 500, maxMs: 900_000 };

/** A day of an instance that is used every second and dies `livedMs` after each create. */
async function day(limits: typeof DEFAULT, livedMs: number, inUse: boolean): Promise<{ creates: number; lostMs: number }> {
  const clock = new ManualClock();
  const backoff = new Backoff(limits, clock);
  let creates = 0;
  let lostMs = 0;
  while (clock.monotonic() < DAY_MS) {
    creates += 1;
    const hydratedAt = clock.monotonic();
    const before = backoff.count('a', '1');
    backoff.clear('a');
    await clock.advance(livedMs);
    backoff.died('a', '1', hydratedAt, before, inUse);
    const waitMs = Math.max(1, Math.ceil(backoff.remainingMs('a', '1') / 1_000)) * 1_000;
    lostMs += backoff.remainingMs('a', '1');
    await clock.advance(waitMs);
  }
  return { creates, lostMs };
}

describe('an instance that dies again and again, used every second for a day', () => {
  // The same sequence in every run: a day of chance would now and then exceed a bound by chance.
  beforeEach(() => {
    let state = 1;
    vi.spyOn(Math, 'random').mockImplementation(() => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647);
  });
  afterEach(() => { vi.restoreAllMocks(); });

  const LIVES = [1_000, 3_000, 6_000, 20_000, 60_000].flatMap((livedMs) => [{ livedMs, inUse: false }, { livedMs, inUse: true }]);

  test.each(LIVES)(
    'after $livedMs ms (found dead in use: $inUse) starts at most 2 900 times by default, and 250 with a long back-off',
    async ({ livedMs, inUse }) => {
      expect((await day(DEFAULT, livedMs, inUse)).creates).toBeLessThanOrEqual(2_900);
      expect((await day(PATIENT, livedMs, inUse)).creates).toBeLessThanOrEqual(250);
    },
  );

  test.each([DEFAULT, PATIENT])(
    'a socket that its server closes every five minutes loses less than 2 % of its time: $maxMs',
    async (limits) => {
      for (const inUse of [false, true]) expect((await day(limits, 300_000, inUse)).lostMs).toBeLessThan(0.02 * DAY_MS);
    },
  );

  test('the registry counts an hour of it in the same way', async () => {
    const h: Harness = new Harness({
      sweepIntervalMs: 0,
      factory: {
        create: (row, context) => {
          h.clock.setTimeout(() => context.retire(new Error('kicked')), 6_000, { ref: false });
          return h.create(row, context);
        },
      },
    });
    h.rows.put('a');
    for (let second = 0; second < 3_600; second += 1) {
      await h.registry.use('a', () => {}).catch(() => {});
      await h.clock.advance(1_000);
    }
    expect(h.creates).toBeLessThanOrEqual(2_900 / 24 + 20);
    expect(h.creates).toBeGreaterThan(60);
  });
});
