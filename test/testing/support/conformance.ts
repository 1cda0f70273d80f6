import type { ConnectionRecord } from 'hydrant';
import {
  claimConformance,
  factoryConformance,
  storeConformance,
  type ClaimCapabilities,
  type ClaimStoreSettings,
  type ClaimsUnderTest,
  type FactoryCapabilities,
  type FactoryUnderTest,
  type StoreCapabilities,
  type StoreUnderTest,
  type TestRunner,
} from 'hydrant/testing';

/** A test that a suite has defined. */
export interface Defined { readonly name: string; readonly test: () => Promise<void> }

/** The tests that a suite defines. */
function testsOf(define: (runner: TestRunner) => void): Defined[] {
  const tests: Defined[] = [];
  define({ describe: (_, inner) => inner(), it: (name, test) => tests.push({ name, test }) });
  return tests;
}

/** Runs all tests of a suite, or one, and returns the names of those that failed. */
async function failuresOf(define: (runner: TestRunner) => void, only: string | undefined): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, test } of testsOf(define))
    if (only === undefined || only === name) await test().catch(() => failed.push(name));
  return failed;
}

export const conformanceFailures = (
  makeStore: () => StoreUnderTest | Promise<StoreUnderTest>,
  capabilities: StoreCapabilities,
  only?: string,
): Promise<string[]> => failuresOf((runner) => storeConformance(runner, makeStore, capabilities), only);

export const claimFailures = (
  makeClaims: (settings: ClaimStoreSettings) => ClaimsUnderTest | Promise<ClaimsUnderTest>,
  capabilities: ClaimCapabilities,
  only?: string,
): Promise<string[]> => failuresOf((runner) => claimConformance(runner, makeClaims, capabilities), only);

/** The names of the tests that the store suite has for these capabilities. */
export const namesOf = (capabilities: StoreCapabilities): string[] =>
  testsOf((runner) => storeConformance(runner, () => { throw new Error('not asked'); }, capabilities)).map(({ name }) => name);

/** The error of one test of the store suite; undefined if it passes. */
export async function errorOf(makeStore: () => StoreUnderTest, capabilities: StoreCapabilities, name: string): Promise<unknown> {
  const found = testsOf((runner) => storeConformance(runner, makeStore, capabilities)).find(
    (test) => test.name === name,
  ) as Defined;
  return found.test().then(() => undefined, (error: unknown) => error);
}

/** The tests of the factory suite that fail, by name, with their errors. */
export async function factoryFailures<R extends ConnectionRecord, I>(
  makeSubject: () => Promise<FactoryUnderTest<R, I>>, capabilities: FactoryCapabilities,
): Promise<Record<string, string>> {
  const failed: Record<string, string> = {};
  for (const { name, test } of testsOf((runner) => factoryConformance(runner, makeSubject, capabilities))) {
    await test().catch((error: unknown) => { failed[name] = String(error); });
  }
  return failed;
}
