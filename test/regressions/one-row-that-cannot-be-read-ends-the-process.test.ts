import { expect, test } from 'vitest';
import { ConnectionRegistry, isConnectionError } from 'hydrant';
import { ManualClock } from 'hydrant/testing';

// What threw while an answer was applied became an unhandled rejection, and the id was never read again.
test.each([
  [
    'a getter of the row throws',
    {
      get: async () => ({
        id: 'a',
        status: 'active',
        get version() {
          throw new Error('lazy');
        },
      }),
    },
    undefined,
    'INVALID_RECORD',
  ],
  [
    'the schema resolves nothing',
    { get: async () => ({ id: 'a', status: 'active', version: 'v1' }) },
    async () => null,
    'INVALID_RECORD',
  ],
  [
    'the schema never settles',
    { get: async () => ({ id: 'a', status: 'active', version: 'v1' }) },
    () => new Promise(() => {}),
    'INVALID_RECORD',
  ],
])('%s', async (_what, store, validate, code) => {
  const clock = new ManualClock();
  const recordSchema = validate === undefined ? undefined : { '~standard': { version: 1, vendor: 'test', validate } };
  const registry = new ConnectionRegistry({ clock, store, recordSchema, factory: { create: () => ({}) } } as never);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const use = registry.use('a', () => 1).catch((thrown: unknown) => thrown);
    await clock.advance(5_000);
    expect(isConnectionError(await use, code as 'INVALID_RECORD')).toBe(true);
  }
  expect(await registry.close()).toEqual({ abandoned: [] });
});
