import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import { endTests } from './factory-conformance/ends.js';
import { survived, type FactoryCapabilities, type FactoryUnderTest, type Suite } from './factory-conformance/harness.js';
import { startTests } from './factory-conformance/starts.js';
import type { TestRunner } from './store-conformance/harness.js';

export type { FactoryCapabilities, FactoryUnderTest, FarSideMode } from './factory-conformance/harness.js';

/** Default of `timeoutMs`. */
const TIMEOUT_MS = 2_000;

/**
 * Defines tests of everything a registry relies on in a factory. A start that fails or is given up leaves nothing open.
 * An `'error'` event does not end the process. A close from outside retires the instance. A stop is complete, and a
 * hundred lives leave nothing behind. Runs with the real adapter and a server on loopback. Asserts with `node:assert`, so it
 * works with any test runner. Every test makes a subject of its own. Needs Node.
 *
 * @param runner - `{ describe, it }` of vitest, jest or node:test
 * @param makeSubject - the factory, its rows, and the server
 * @param capabilities - the kind of its instances
 *
 * @example
 * factoryConformance({ describe, it }, async () => {
 *   const server = await startMailServer();
 *   return { factory: mailFactory, record, failing: { ...record, password: 'wrong' }, ...server };
 * }, { connected: true, events: true });
 */
export function factoryConformance<R extends ConnectionRecord, I>(
  runner: TestRunner,
  makeSubject: () => Awaitable<FactoryUnderTest<R, I>>,
  capabilities: FactoryCapabilities = {},
): void {
  const suite: Suite<R, I> = {
    capabilities,
    timeoutMs: capabilities.timeoutMs ?? TIMEOUT_MS,
    test: (name, run) => void runner.it(name, () => survived(async () => {
      const subject = await makeSubject();
      try {
        await run(subject);
      } finally {
        await subject.close?.();
      }
    })),
  };
  runner.describe('factory conformance', () => {
    startTests(suite);
    endTests(suite);
  });
}
