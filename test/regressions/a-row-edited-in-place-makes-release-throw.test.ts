import { ConnectionRegistry, factoryByPlatform } from 'hydrant';
import { expect, test } from 'vitest';

test('a lease is released although the store changed its row object to another id and an unknown platform', async () => {
  const row = { id: 'a', version: 1, status: 'active' as const, platform: 'slack' };
  const disposed: string[] = [];
  const registry = new ConnectionRegistry({
    store: { get: async (id: string) => (id === 'a' ? row : undefined) },
    replacement: 'drain-first',
    factory: factoryByPlatform('platform', {
      slack: {
        create: () => 'instance',
        dispose: () => {
          disposed.push('a');
        },
      },
    }),
  } as never);
  const lease = await registry.acquire('a');
  void registry.invalidate('a');
  const waiting = registry.use('a', () => {}, { timeoutMs: 1_000 }).catch((error: { code: string }) => error.code);
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  row.platform = 'unheard of';
  expect(() => lease.release()).not.toThrow();
  expect(await waiting).toBe('INVALID_RECORD');
  row.id = 'b';
  await registry.close();
  expect(disposed).toEqual(['a']);
});
