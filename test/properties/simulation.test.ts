import { ConnectionRegistry } from 'hydrant';
import { describe, expect, test } from 'vitest';
import { campaign } from './simulation/campaign.js';

/*
 * 19 000 programs here and 1 000 with webhooks beside it, each of them new schedules of uses, faults and time:
 * G1 to G13, checked after every step. By the million: node test/properties/run.mjs --count 1000000 --workers 2
 * SIM_COUNT and SIM_SEED ask for another number and other seeds.
 */
const COUNT = Number(process.env['SIM_COUNT'] ?? 19_000);
const SEED = Number(process.env['SIM_SEED'] ?? 1);
const CHUNK = 1_900;

describe('G1 to G13 hold in every simulated schedule', () => {
  for (let from = SEED; from < SEED + COUNT; from += CHUNK) {
    const count = Math.min(CHUNK, SEED + COUNT - from);
    test(`seeds ${from} to ${from + count - 1}`, { timeout: 120_000 }, async () => {
      const findings = await campaign(ConnectionRegistry, { kind: 'uses', from, count, replayEvery: 20 });
      expect(findings.map(({ report }) => report).join('\n\n')).toBe('');
    });
  }
});
