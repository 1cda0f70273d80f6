import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConnectionRegistry } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { inspect } from 'node:util';

const unprintable = (): Error =>
  Object.assign(new Error('bad'), {
    [inspect.custom](): never {
      throw new Error('cannot be printed');
    },
  });

beforeEach(() => { vi.spyOn(console, 'error').mockImplementation((...said) => { said.forEach((one) => inspect(one)); }); });
afterEach(() => vi.restoreAllMocks());

function registry() {
  return new ConnectionRegistry({
    clock: new ManualClock(),
    maxConcurrentHydrations: 1,
    store: { get: async (id) => ({ id, version: 1, status: 'active' as const }) },
    factory: { create: async ({ id }) => { if (id === 'a') throw unprintable(); return id; } },
  });
}

test('a hydrate that fails with such an error gives its permit back', async () => {
  const one = registry();
  await expect(one.use('a', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
  expect(await one.use('b', (instance) => instance)).toBe('b');
  expect(console.error).toHaveBeenLastCalledWith("hydrant: hydrationFailed for connection 'a' (the error cannot be printed)");
});

test('a listener that throws such an error affects no other listener', async () => {
  const one = registry();
  one.on('hydrated', () => { throw unprintable(); });
  expect(await one.use('b', (instance) => instance)).toBe('b');
  expect(await one.use('c', (instance) => instance)).toBe('c');
});
