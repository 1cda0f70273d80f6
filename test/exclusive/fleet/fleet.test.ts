import { describe, expect, test } from 'vitest';
import { Fleet } from './fleet.js';

/** Thrice what one claim query names. `node test/exclusive/fleet/run.mjs` does this with a million. */
const CONNECTIONS = 12_288;

describe('a fleet that is larger than one claim query', () => {
  test('starts, rests, loses a replica and gains one, with queries that do not grow with it', async () => {
    const fleet = new Fleet(CONNECTIONS, 6);
    expect(await fleet.until(() => fleet.owned === CONNECTIONS, 45_000)).toBeLessThanOrEqual(20_000);
    expect(fleet.loads.most - fleet.loads.fewest).toBeLessThan(0.01);
    expect(fleet.trafficSince(1).mostNamed).toBeLessThanOrEqual(4_096);

    await fleet.clock.advance(60_000);
    const atRest = await fleet.traffic(12);
    expect(atRest.claimQueries).toBeLessThanOrEqual(1);
    expect(atRest.mostNamed, 'only what is at home and owned by others').toBeLessThanOrEqual(CONNECTIONS / 6);

    fleet.replicas[0]!.cut = true;
    const takenOver = await fleet.until(() => fleet.owned === CONNECTIONS, 120_000);
    expect(takenOver, 'in 1.25 ttlMs').toBeLessThanOrEqual(56_250);
    expect(fleet.trafficSince(1).mostNamed).toBeLessThanOrEqual(4_096);

    await fleet.clock.advance(60_000);
    fleet.join();
    await fleet.clock.advance(90_000);
    expect(fleet.owned).toBe(CONNECTIONS);
    expect(fleet.loads.fewest).toBeGreaterThan(0.9);
    expect(fleet.loads.most).toBeLessThan(1.1);
  }, 120_000);
});
