import * as hydrant from 'hydrant';
import { expect, test } from 'vitest';
import { measure, WAYS } from '../../examples/fleet/measure.mjs';

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
  // Back again, the lost replica's own connections are created anew; with modulo most of the others move too.
  expect(consistent?.lost[2]).toBeLessThan(modulo?.lost[2] ?? 0);
}, 120_000);
