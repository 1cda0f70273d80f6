import * as hydrant from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { expect, test } from 'vitest';
import { measure, WAYS } from '../../examples/fleet/measure.mjs';
import { rollingDeploy, TRAFFIC } from '../../examples/fleet/rolling.mjs';

/** The figures of the guide, from the command it names. */
test('examples/fleet: affinity by connection keeps each connection warm on one replica instead of all', async () => {
  const results: Record<string, { steady: number; lost: number[] }> = {};
  for (const [name, choose] of Object.entries(WAYS)) {
    const { creates } = await measure(hydrant, choose, { losesOne: false });
    results[name] = { steady: creates, lost: (await measure(hydrant, choose, { losesOne: true })).thirds };
  }
  process.stdout.write(`${JSON.stringify(results)}\n`);
  const {
    'round robin': roundRobin,
    'consistent hash of the id': consistent,
    'hash of the id, modulo': modulo,
  } = results as Record<keyof typeof WAYS, { steady: number; lost: number[] }>;
  expect(roundRobin?.steady).toBeGreaterThan(35_000);
  expect(consistent?.steady).toBeLessThan(6_000);
  const createsWhenTheReplicaIsBack = { consistent: consistent?.lost[2], modulo: modulo?.lost[2] };
  expect(createsWhenTheReplicaIsBack.consistent).toBeLessThan(createsWhenTheReplicaIsBack.modulo ?? 0);
}, 120_000);

test('examples/fleet: a warm-up before traffic makes a rolling deploy longer, and lets no fewer uses wait', async () => {
  const pick = TRAFFIC.uniform;
  const [none, before, during] = [
    await rollingDeploy(hydrant, new ManualClock(), { warm: 'none', pick }),
    await rollingDeploy(hydrant, new ManualClock(), { warm: 'before traffic', pick }),
    await rollingDeploy(hydrant, new ManualClock(), { warm: 'during traffic', pick }),
  ];
  process.stdout.write(`${JSON.stringify({ none, before, during })}\n`);
  expect({
    longer: before.deploySeconds > 2 * none.deploySeconds, moreCreates: before.creates > 1.5 * none.creates,
    fewerWaits: before.waited < none.waited,
  }).toEqual({ longer: true, moreCreates: true, fewerWaits: false });
  // While it gets traffic, fewer uses wait, and the longest waits longer, because both want the same permits.
  expect({
    fewerWaits: during.waited < none.waited, moreCreates: during.creates > none.creates,
    longestIsLonger: during.longestMs > none.longestMs,
  }).toEqual({ fewerWaits: true, moreCreates: true, longestIsLonger: true });
}, 240_000);
