import { expect, test } from 'vitest';
import { ConnectionRegistry } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { onNextTurn } from '../../src/clock.js';

test('close disposes of many idle instances a few at a time, so that the event loop keeps turning', async () => {
  const clock = new ManualClock();
  let disposed = 0;
  const registry = new ConnectionRegistry({
    clock,
    store: { get: async (id) => ({ id, version: 1, status: 'active' as const }) },
    factory: { create: () => ({}), dispose: () => { disposed += 1; } },
    maxInstances: 3_000,
    maxQueuedHydrations: 3_000,
  });
  await Promise.all(Array.from({ length: 3_000 }, (_, n) => registry.use(`c${n}`, () => {})));
  const lease = await registry.acquire('c7');
  const perTurn: number[] = [];
  const turn = (): void => {
    perTurn.push(disposed - perTurn.reduce((sum, count) => sum + count, 0));
    if (disposed < 2_999) onNextTurn(turn);
  };
  const closed = registry.close();
  turn();
  lease.release();

  expect(await closed).toEqual({ abandoned: [] });
  expect(disposed).toBe(3_000);
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(501);
  expect(clock.pendingTimers).toBe(0);
});
