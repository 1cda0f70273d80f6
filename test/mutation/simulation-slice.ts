import { ConnectionRegistry } from 'hydrant';
import { describe, expect, test } from 'vitest';
import { campaign } from '../properties/simulation/campaign.js';

/** A short slice of the simulation, for mutants: the whole of it runs in test/properties. */
describe('the simulation, shortened', () => {
  for (const { kind, count } of [{ kind: 'uses', count: 10 }, { kind: 'webhooks', count: 5 }] as const) {
    for (let from = 1; from <= 10 * count; from += count) {
      test(`${kind} ${from}`, async () => {
        const findings = await campaign(ConnectionRegistry, { kind, from, count, shrinking: false });
        expect(findings.map(({ guarantee }) => guarantee)).toEqual([]);
      });
    }
  }
});
