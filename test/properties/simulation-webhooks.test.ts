import { ConnectionRegistry } from 'hydrant';
import { describe, expect, test } from 'vitest';
import { campaign } from './simulation/campaign.js';

/* Requests, responses and streams are the platform's own, which costs turns of the event loop: fewer programs. */
const COUNT = Number(process.env['SIM_WEBHOOKS'] ?? 1_000);
const SEED = Number(process.env['SIM_SEED'] ?? 1);
const CHUNK = 250;

describe('G1 to G13 hold in every simulated schedule with webhooks', () => {
  for (let from = SEED; from < SEED + COUNT; from += CHUNK) {
    const count = Math.min(CHUNK, SEED + COUNT - from);
    test(`seeds ${from} to ${from + count - 1}`, { timeout: 120_000 }, async () => {
      const findings = await campaign(ConnectionRegistry, { kind: 'webhooks', from, count, replayEvery: 20 });
      expect(findings.map(({ report }) => report).join('\n\n')).toBe('');
    });
  }
});
