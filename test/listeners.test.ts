import { afterEach, expect, test, vi } from 'vitest';
import { ManualClock } from 'hydrant/testing';
import { Listeners } from '../src/listeners.js';

afterEach(() => { vi.restoreAllMocks(); });

test('has tells whether there is a listener', () => {
  const listeners = new Listeners<{ warned: string; failed: string }>(() => undefined, new ManualClock());
  const heard = () => ({ warned: listeners.has('warned'), failed: listeners.has('failed') });
  expect(heard()).toEqual({ warned: false, failed: false });
  const off = listeners.on('warned', () => {});
  expect(heard()).toEqual({ warned: true, failed: false });
  off();
  expect(heard()).toEqual({ warned: false, failed: false });
});

test('an event without a listener is written once per key, with its error if there is one', () => {
  const written: unknown[][] = [];
  vi.spyOn(console, 'error').mockImplementation((...args) => void written.push(args));
  const failure = new Error('down');
  const listeners = new Listeners<{ warned: string; failed: string; fine: string }>(
    (event, key) =>
      event === 'fine' ? undefined : { key, text: `${event} ${key}`, ...(event === 'failed' ? { error: failure } : {}) },
    new ManualClock(),
  );
  for (const { event, key } of [
    { event: 'warned', key: 'a' },
    { event: 'warned', key: 'a' },
    { event: 'failed', key: 'b' },
    { event: 'fine', key: 'c' },
  ] as const)
    listeners.emit(event, key);
  expect(written).toEqual([['warned a'], ['failed b', failure]]);
});
