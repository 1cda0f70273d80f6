import type { Awaitable } from '../contracts/record.js';
import { handOverTests } from './claim-conformance/hand-over.js';
import {
  claimTest, type ClaimCapabilities, type ClaimStoreSettings, type ClaimsUnderTest, type ClaimSuite,
} from './claim-conformance/harness.js';
import { forgettingTests } from './claim-conformance/forgetting.js';
import { ownershipTests } from './claim-conformance/ownership.js';
import { renewalTests } from './claim-conformance/renewals.js';
import type { TestRunner } from './store-conformance/harness.js';

export type { ClaimCapabilities, ClaimStoreSettings, ClaimsUnderTest } from './claim-conformance/harness.js';

/**
 * Defines tests of everything `ExclusiveRunner` relies on in a claim store. Asserts with `node:assert`, so it works with any
 * test runner. Every test makes a store of its own.
 *
 * @param runner - `{ describe, it }` of vitest, jest or node:test
 * @param makeClaims - two clients of one empty claim store, and how its time passes
 * @param capabilities - the optional abilities of the store. One that the store lacks fails its tests
 *
 * @example
 * claimConformance({ describe, it }, async ({ forgetAfterMs }) => {
 *   await db.query('truncate my_claims');
 *   return {
 *     claims: new MyClaims(db, { forgetAfterMs }), others: new MyClaims(db2, { forgetAfterMs }),
 *     wait: (ms) => setTimeout(ms), rows: () => db.count('my_claims'),
 *   };
 * }, { ttlMs: 400, forgets: true });
 */
export function claimConformance(
  runner: TestRunner,
  makeClaims: (settings: ClaimStoreSettings) => Awaitable<ClaimsUnderTest>,
  capabilities: ClaimCapabilities = {},
): void {
  const ttlMs = capabilities.ttlMs ?? 500;
  const suite: ClaimSuite = {
    capabilities,
    ttlMs,
    test: (name, run, settings = {}) => void runner.it(name, async () => {
      const made = await makeClaims(settings);
      try {
        await run(claimTest(made, ttlMs));
      } finally {
        await made.close?.();
      }
    }),
  };
  runner.describe('claim conformance', () => {
    ownershipTests(suite);
    renewalTests(suite);
    handOverTests(suite);
    forgettingTests(suite);
  });
}
