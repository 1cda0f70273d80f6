import { expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { ExclusiveRunner, MemoryClaims, MemoryClaimServer } from 'hydrant/exclusive';
import { ManualClock } from 'hydrant/testing';

function runnerWith(where: 'claims' | 'list', watch: () => Promise<AsyncDisposable>) {
  const clock = new ManualClock();
  const store = new MemoryStore([{ id: 'a' }]);
  const registry = new ConnectionRegistry<any, any>({ clock, store: store as any, factory: { create: () => ({}) } });
  const server = new MemoryClaimServer({ clock });
  const claims = new MemoryClaims({ server });
  if (where === 'claims') Object.assign(claims, { watch });
  const runner = new ExclusiveRunner<any, any>({
    clock,
    registry,
    claims,
    list: () => ['a'],
    ...(where === 'list' ? { watch } : {}),
    run: ({ signal }: { signal: AbortSignal }) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
      }),
  } as any);
  return { clock, runner, server, registry };
}

const kinds: { what: string; watch: () => Promise<AsyncDisposable> }[] = [
  { what: 'hangs while it is opened', watch: () => new Promise(() => {}) },
  { what: 'hangs when it is ended', watch: async () => ({ [Symbol.asyncDispose]: () => new Promise<void>(() => {}) }) },
  { what: 'fails when it is ended', watch: async () => ({ [Symbol.asyncDispose]: async () => { throw new Error('lost'); } }) },
];
for (const where of ['claims', 'list'] as const) {
  test.each(kinds)(`stop resolves though the watch of the ${where} $what`, async ({ watch }) => {
    const { clock, runner, server } = runnerWith(where, watch);
    runner.start();
    await clock.advance(120_000);
    expect(server.owners().size).toBe(1);
    let settled: string | undefined;
    runner.stop().then(() => { settled = 'resolved'; }, (error) => { settled = `rejected: ${error.message}`; });
    await clock.advance(600_000);
    expect(server.owners().size).toBe(0);
    expect(settled).toBe('resolved');
    expect(runner.snapshot().state).toBe('stopped');
  });
}

test('a registry that closes under a runner whose watch fails to end breaks nothing', async () => {
  const { clock, runner, registry } = runnerWith('claims', kinds[2]!.watch);
  const unhandled: unknown[] = [];
  const noticed = (error: unknown): void => { unhandled.push(error); };
  process.on('unhandledRejection', noticed);
  await registry.close();
  runner.start();
  await clock.advance(300_000);
  process.off('unhandledRejection', noticed);
  expect(unhandled).toEqual([]);
});
