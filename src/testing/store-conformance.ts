import { batchTests } from './store-conformance/batches.js';
import type { StoreCapabilities, StoreUnderTest, Suite, TestRunner } from './store-conformance/harness.js';
import { hintTests } from './store-conformance/hints.js';
import { oddIdTests, rowTests } from './store-conformance/rows.js';
import { versionTests } from './store-conformance/versions.js';
import type { Awaitable } from '../contracts/record.js';

export type { StoreCapabilities, StoreUnderTest, TestRunner } from './store-conformance/harness.js';

/**
 * Defines tests of everything a registry relies on in a store. The package's own stores pass them. A store fails if it
 * keeps a cache, reads a lagging replica or takes `updated_at` for a version.
 * Asserts with `node:assert`, so it works with any test runner. Every test makes a store of its own.
 *
 * @param runner - `{ describe, it }` of vitest, jest or node:test
 * @param makeStore - an empty store and how to write its rows
 * @param capabilities - the members of the store beyond `get`. A capability that the store lacks fails its tests
 *
 * @example
 * storeConformance({ describe, it }, async () => {
 *   await db.query('truncate connections');
 *   return {
 *     store: new MyStore(db),
 *     write: (id, { status, config }) => db.query('insert into connections ... on conflict ...', [id, status, config]),
 *     remove: (id) => db.query('delete from connections where id = $1', [id]),
 *     configOf: (record) => (record as MyRecord).config,
 *   };
 * }, { getMany: true, getVersions: true });
 */
export function storeConformance(
  runner: TestRunner,
  makeStore: () => Awaitable<StoreUnderTest>,
  capabilities: StoreCapabilities = {},
): void {
  const suite: Suite = {
    capabilities,
    id: capabilities.makeId ?? ((n) => `connection${n}`),
    test: (name, run) => void runner.it(name, async () => {
      const made = await makeStore();
      try {
        await run(bound(made));
      } finally {
        await made.close?.();
      }
    }),
  };
  runner.describe('store conformance', () => {
    rowTests(suite);
    oddIdTests(suite);
    versionTests(suite);
    batchTests(suite);
    hintTests(suite);
  });
}

/** The tests take members apart. */
function bound(made: StoreUnderTest): StoreUnderTest {
  return {
    store: made.store,
    write: made.write.bind(made),
    remove: made.remove.bind(made),
    configOf: made.configOf.bind(made),
    ...(made.writeInvalid && { writeInvalid: made.writeInvalid.bind(made) }),
    ...(made.bookkeep && { bookkeep: made.bookkeep.bind(made) }),
    ...(made.touch && { touch: made.touch.bind(made) }),
    ...(made.interrupt && { interrupt: made.interrupt.bind(made) }),
  };
}
