import { createMemoryState } from '@chat-adapter/state-memory';
import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { fakeAdapter, fakeBot } from './support/fakes.js';
import { until } from './support/late.js';

test('an adapter that starts after its start was aborted is disconnected, because nothing else does it any more', async () => {
  const steps: string[] = [];
  const starting = deferred();
  const adapter = fakeAdapter('own', [], {
    initialize: async () => { steps.push('starts'); await starting.promise; steps.push('has started'); },
    disconnect: () => { steps.push('disconnects'); },
  });
  const registry = fakeBot(() => [adapter]);
  const caller = new AbortController();
  const use = registry.use('c', () => {}, { signal: caller.signal });
  await until(() => steps.length > 0);
  caller.abort();
  await expect(use).rejects.toThrow();
  await until(() => steps.includes('disconnects'));
  starting.resolve();
  await until(() => steps.at(-1) === 'disconnects' && steps.includes('has started'));
  await registry.close();
  expect(steps).toEqual(['starts', 'disconnects', 'has started', 'disconnects']);
});

test('a start that is aborted at the moment its state connects ends, although the state never answers', async () => {
  const caller = new AbortController();
  const state = createMemoryState();
  state.connect = () => { caller.abort(); return new Promise<void>(() => {}); };
  const registry = fakeBot(() => [fakeAdapter('own')], { state });
  await expect(registry.use('c', () => {}, { signal: caller.signal })).rejects.toThrow();
  await until(() => registry.snapshot().hydrating === 0, 200);
  expect(registry.snapshot().hydrating).toBe(0);
  await registry.close();
});
