import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunnerEvents } from 'hydrant/exclusive';
import { instrumentRunner, type InstrumentedRunner } from 'hydrant/otel';
import { realSdk } from './support/sdk.js';

describe('instrumentRunner', () => {
  const sdk = realSdk();
  const { points } = sdk;
  let listeners: Map<string, (payload: any) => void>;
  let runner: InstrumentedRunner;
  const tell = <E extends keyof RunnerEvents>(event: E, payload: RunnerEvents[E]): void => listeners.get(event)?.(payload);

  beforeEach(() => {
    listeners = new Map();
    runner = {
      snapshot: () => ({ replica: 'a', state: 'running', members: ['a'], listed: 5, share: 5, load: 3, connections: [] }),
      on: (event, listener) => {
        listeners.set(event, listener as (payload: any) => void);
        return () => void listeners.delete(event);
      },
    };
  });

  test('reports held claims, the share of this replica, and how tenures ended', async () => {
    const stop = instrumentRunner(runner, { meter: sdk.meter });
    tell('ended', { id: 'a', token: 1n, reason: 'lost' });
    tell('claimsFailed', { call: 'renew', error: new Error('down') });
    expect(await points('hydrant.claim.held')).toStrictEqual([{ attributes: {}, value: 3 }]);
    expect(await points('hydrant.claim.share')).toEqual([{ attributes: {}, value: 5 }]);
    expect(await points('hydrant.claim.ended')).toEqual([{ attributes: { 'hydrant.tenure.end': 'lost' }, value: 1 }]);
    expect(await points('hydrant.claim.store_failures')).toEqual([{ attributes: { 'hydrant.claim.call': 'renew' }, value: 1 }]);
    stop();
    expect(listeners.size).toBe(0);
    const snapshot = vi.spyOn(runner, 'snapshot');
    await sdk.exported();
    expect(snapshot).not.toHaveBeenCalled();
  });

  test('counts starts that failed, stops unproven and listings that failed, under the runner’s name', async () => {
    instrumentRunner(runner, { meter: sdk.meter, name: 'bots' });
    tell('startFailed', { id: 'a', version: '1', error: new Error('no'), failures: 1, retryAfterMs: 0, handedOver: false });
    tell('stopUnproven', { id: 'a', token: 1n });
    tell('listFailed', { error: new Error('down') });
    for (const name of ['hydrant.claim.start_failures', 'hydrant.claim.stop_unproven', 'hydrant.claim.list_failures']) {
      expect(await points(name), name).toEqual([{ attributes: { 'hydrant.registry.name': 'bots' }, value: 1 }]);
    }
  });
});
