import { expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore, isConnectionError } from 'hydrant';
import { ManualClock } from 'hydrant/testing';

test('close does not wait for a use that was refused because of its signal, and no timer is left', async () => {
  const clock = new ManualClock();
  const registry = new ConnectionRegistry({
    clock,
    store: new MemoryStore([{ id: 'a' }]),
    factory: { create: () => ({}) },
    sweepIntervalMs: 0,
  });
  const refused: unknown = await registry
    .use('a', () => {}, { signal: new AbortController() as never })
    .catch((thrown: unknown) => thrown);
  expect(isConnectionError(refused, 'INVALID_OPTIONS')).toBe(true);
  expect(clock.pendingTimers).toBe(0);
  expect(await registry.close()).toEqual({ abandoned: [] });
});
