import { expect, test, vi } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';

test('the default clock is read once per turn of the event loop, not on every use', async () => {
  const registry = new ConnectionRegistry({
    store: new MemoryStore([{ id: 'a' }]), factory: { create: () => ({}) }, freshness: { maxStaleMs: 60_000 },
  });
  await registry.use('a', () => {});
  const read = vi.spyOn(performance, 'now');
  try {
    for (let uses = 0; uses < 1000; uses += 1) registry.tryAcquire('a')?.release();
    expect(read.mock.calls.length).toBeLessThanOrEqual(1);
  } finally {
    read.mockRestore();
    await registry.close();
  }
});
