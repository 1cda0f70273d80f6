/** The same suite, requiring the package, as CommonJS. */
const { test } = require('node:test');
const hydrant = require('hydrant');
const exclusive = require('hydrant/exclusive');
const inspector = require('hydrant/inspector');

test('the suite holds', async (context) => {
  const { expectRuntime } = await import('./expect-runtime.mjs');
  const { checksOf } = await import('./checks.mjs');
  expectRuntime();
  const checks = checksOf(hydrant, exclusive, inspector);
  // Not every runner has subtests.
  void context;
  for (const [name, check] of checks) {
    try {
      await check();
    } catch (error) {
      throw new Error(`${name}: ${error.message}`, { cause: error });
    }
  }
  for (const entry of ['node', 'express', 'fastify', 'postgres', 'redis', 'testing']) require(`hydrant/${entry}`);
});
