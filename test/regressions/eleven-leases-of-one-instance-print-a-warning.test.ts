import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';

/**
 * Seen as `MaxListenersExceededWarning` with eleven tool calls at a time that were given `lease.signal`: all leases of
 * an instance had one signal, and what listens without taking its listener off stayed as long as the instance lived.
 */
test('each lease has a signal of its own, and all of them abort when the instance is disposed of under its users', async () => {
  const clock = new ManualClock();
  const registry = new ConnectionRegistry({ clock, store: new MemoryStore([{ id: 'a' }]), factory: { create: () => ({}) } });
  const leases = await Promise.all(Array.from({ length: 20 }, () => registry.acquire('a')));
  const released = leases.pop();
  const releasedSignal = released?.signal;
  released?.release();
  const aborted: number[] = [];
  leases.forEach((lease, index) => lease.signal.addEventListener('abort', () => aborted.push(index)));
  expect(leases.map(({ signal }) => getEventListeners(signal, 'abort').length)).toEqual(leases.map(() => 1));
  expect(leases[0]?.signal).toBe(leases[0]?.signal);

  const closed = registry.close({ drainTimeoutMs: 5_000 });
  await clock.advance(5_000);
  expect(await closed).toEqual({ abandoned: [{ id: 'a', leases: 19 }] });
  expect(aborted).toEqual(leases.map((_, index) => index));
  expect(releasedSignal?.aborted).toBe(false);
});
