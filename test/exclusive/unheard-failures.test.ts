import { ManualClock } from 'hydrant/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runnerListeners, type RunnerEvents } from '../../src/exclusive/events.js';

describe('a runner event without a listener', () => {
  let written: unknown[][];
  let events: ReturnType<typeof runnerListeners>;
  const failed = (more: { id?: string; version?: string | undefined } = {}): RunnerEvents['startFailed'] =>
    ({ id: 'c1', version: '1', error: new Error('no'), failures: 1, retryAfterMs: 1, handedOver: false, ...more });

  beforeEach(() => {
    events = runnerListeners(new ManualClock());
    written = [];
    vi.spyOn(console, 'error').mockImplementation((...line: unknown[]) => { written.push(line); });
  });
  afterEach(() => { vi.restoreAllMocks(); });

  test('is written to the console if it is a failure, with its connection or call and its error', () => {
    const error = new Error('down');
    events.emit('startFailed', failed());
    events.emit('stopUnproven', { id: 'c1', token: 1n });
    events.emit('claimsFailed', { call: 'renew', error });
    events.emit('listFailed', { error });
    expect(written).toEqual([
      ["hydrant: startFailed for connection 'c1'", new Error('no')],
      ["hydrant: stopUnproven for connection 'c1'"],
      ['hydrant: claimsFailed (renew)', error],
      ['hydrant: listFailed', error],
    ]);
  });

  test('is not written if it is no failure', () => {
    events.emit('started', { id: 'c1', token: 1n, version: '1' });
    events.emit('provisioned', { id: 'c1', token: 1n, version: '1' });
    events.emit('ended', { id: 'c1', token: 1n, reason: 'stopped' });
    expect(written).toEqual([]);
  });

  test('is written once per event, connection, version and call', () => {
    for (let round = 0; round < 2; round += 1) {
      // The last two would look alike if id and version were joined.
      for (const about of [
        { id: 'c1' },
        { id: 'c2' },
        { version: undefined },
        { version: '2' },
        { id: 'c1', version: '12' },
        { id: 'c11', version: '2' },
      ])
        events.emit('startFailed', failed(about));
      for (const call of ['renew', 'claim'] as const) events.emit('claimsFailed', { call, error: undefined });
      events.emit('stopUnproven', { id: 'c1', token: 1n });
    }
    expect(written).toHaveLength(9);
  });
});
