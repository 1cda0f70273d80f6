import { expect, test } from 'vitest';
import { fakeAdapter, fakeBot } from './support/fakes.js';

/** Disposes of a bot with two adapters, one of which has these members too. */
async function disposed(own: object) {
  const failures: unknown[] = [];
  const steps = new Set<string>();
  const other = {
    stopPolling: () => { steps.add('other stops polling'); },
    disconnect: () => { steps.add('other disconnects'); },
  };
  const registry = fakeBot(() => [fakeAdapter('other', [], other), fakeAdapter('own', [], own)]);
  registry.on('disposeFailed', ({ error }) => { failures.push((error as Error).message); });
  await registry.use('c', () => {});
  await registry.close();
  return { failures, steps: [...steps] };
}

const STOPPED = ['other stops polling', 'other disconnects'];

test('an adapter that can neither poll nor disconnect is disposed of without a failure', async () => {
  expect(await disposed({})).toEqual({ failures: [], steps: STOPPED });
});

test('an adapter that cannot stop polling is emitted as disposeFailed, and the others are stopped', async () => {
  const stopPolling = async (): Promise<never> => { throw new Error('it polls on'); };
  expect(await disposed({ stopPolling })).toEqual({ failures: ['it polls on'], steps: STOPPED });
});
