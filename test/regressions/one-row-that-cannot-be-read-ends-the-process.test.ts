import { expect, test } from 'vitest';
import { ConnectionRegistry, isConnectionError } from 'hydrant';
import { ManualClock } from 'hydrant/testing';

// An exception while an answer was applied became an unhandled rejection, and the id was never read again.
test.each([
  {
    what: 'a getter of the row throws',
    store: {
      get: async () => ({
        id: 'a',
        status: 'active',
        get version() {
          throw new Error('lazy');
        },
      }),
    },
    code: 'INVALID_RECORD',
  },
  {
    what: 'the schema resolves nothing',
    store: { get: async () => ({ id: 'a', status: 'active', version: 'v1' }) },
    validate: async () => null,
    code: 'INVALID_RECORD',
  },
  {
    what: 'the schema never settles',
    store: { get: async () => ({ id: 'a', status: 'active', version: 'v1' }) },
    validate: () => new Promise(() => {}),
    code: 'INVALID_RECORD',
  },
])('$what', async ({ store, validate, code }) => {
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
