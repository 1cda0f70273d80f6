import { claimConformance, storeConformance, type ClaimCapabilities, type ClaimsUnderTest, type StoreCapabilities, type StoreUnderTest, type TestRunner } from 'hydrant/testing';

/** A test that a suite has defined. */
export interface Defined { readonly name: string; readonly test: () => Promise<void> }

/** Runs what a suite defines as a runner would, all or one, and gives back the names of the tests that failed. */
async function failuresOf(define: (runner: TestRunner) => void, only: string | undefined): Promise<string[]> {
  const tests: Defined[] = [];
  define({ describe: (_, inner) => inner(), it: (name, test) => tests.push({ name, test }) });
  const failed: string[] = [];
  for (const { name, test } of tests) if (only === undefined || only === name) await test().catch(() => failed.push(name));
  return failed;
}

export const conformanceFailures = (makeStore: () => StoreUnderTest | Promise<StoreUnderTest>, capabilities: StoreCapabilities, only?: string): Promise<string[]> =>
  failuresOf((runner) => storeConformance(runner, makeStore, capabilities), only);

export const claimFailures = (makeClaims: () => ClaimsUnderTest | Promise<ClaimsUnderTest>, capabilities: ClaimCapabilities, only?: string): Promise<string[]> =>
  failuresOf((runner) => claimConformance(runner, makeClaims, capabilities), only);
