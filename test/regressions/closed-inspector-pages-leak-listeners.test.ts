import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { ManualClock } from 'hydrant/testing';
import { eventStream } from '../../src/inspector/stream.js';

/** A page's stream, and how many still listen for its end. */
function opened(lastsMs = 10_000) {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const stream = eventStream({ clock, signal, intervalMs: 1_000, lastsMs, next: () => 'what there is', ended: () => {} });
  return { clock, stream, listeners: () => getEventListeners(signal, 'abort').length };
}

test('a stream removes its listeners when its reader leaves', async () => {
  const { stream, listeners } = opened();
  expect(listeners()).toBe(1);
  await stream.cancel();
  expect(listeners()).toBe(0);
});

test('a stream removes its listeners when its time is up', async () => {
  const { clock, listeners } = opened(5_000);
  await clock.advance(5_000);
  expect(listeners()).toBe(0);
});
