import { describe, expect, test } from 'vitest';
import { Fleet } from './fleet.js';

/** Thrice what one claim query names. `npm run proof:fleet` does this with a million. */
const CONNECTIONS = 12_288;

describe('a fleet that is larger than one claim query', () => {
  test('starts, loses a replica and gains one with a bounded number of queries, and loads differ by at most one', async () => {
    const fleet = new Fleet(CONNECTIONS, 6);
    expect(await fleet.until(() => fleet.balanced, 45_000)).toBeLessThanOrEqual(20_000);
    expect(fleet.trafficSince(1).mostNamed).toBeLessThanOrEqual(4_096);

    await fleet.clock.advance(45_000);
    expect(await fleet.traffic(3), 'each replica owns what is at home with it').toMatchObject({ claimQueries: 0, mostNamed: 0 });

    fleet.replicas[0]!.cut = true;
    const takenOver = await fleet.until(() => fleet.owned === CONNECTIONS, 120_000);
    expect(takenOver, 'in 1.25 ttlMs').toBeLessThanOrEqual(56_250);
    expect(fleet.trafficSince(1).mostNamed).toBeLessThanOrEqual(4_096);

    fleet.join();
    expect(await fleet.until(() => fleet.balanced, 120_000), 'two ticks of looking on, and one of moving').toBeLessThanOrEqual(
      15_000,
    );
    const atRest = await fleet.traffic(12);
    expect(atRest.claimQueries).toBeLessThanOrEqual(1);
    expect(atRest.mostNamed, 'only what is at home and owned by others').toBeLessThanOrEqual(CONNECTIONS / 6);
    expect(fleet.balanced).toBe(true);
  }, 120_000);

  test('has no connection without an owner for longer than a tick when two replicas join one after the other', async () => {
    const fleet = new Fleet(CONNECTIONS, 2);
    await fleet.until(() => fleet.balanced, 60_000);
    await fleet.clock.advance(94_500 - fleet.clock.monotonic());
    fleet.join();
    await fleet.clock.advance(1_250);
    fleet.join();
    for (let at = 0, since = 0; at < 60_000; at += 250) {
      await fleet.clock.advance(250);
      since = fleet.owned === CONNECTIONS ? at : since;
      expect(at - since).toBeLessThanOrEqual(5_250);
    }
    expect(fleet.balanced).toBe(true);
  }, 120_000);
});
