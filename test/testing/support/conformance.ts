import { storeConformance, type StoreCapabilities, type StoreUnderTest } from 'hydrant/testing';

/** Runs the store conformance suite as a runner would and gives back the names of the tests that failed. */
export async function conformanceFailures(makeStore: () => StoreUnderTest | Promise<StoreUnderTest>, capabilities: StoreCapabilities): Promise<string[]> {
  const tests: { name: string; test: () => Promise<void> }[] = [];
  storeConformance({ describe: (_, define) => define(), it: (name, test) => tests.push({ name, test }) }, makeStore, capabilities);
  const failed: string[] = [];
  for (const { name, test } of tests) await test().catch(() => failed.push(name));
  return failed;
}
