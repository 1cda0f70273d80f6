import { beforeEach, describe, expect, test } from 'vitest';
import type { Inspector } from 'hydrant/inspector';
import type { ManualClock } from 'hydrant/testing';
import { inspectorOfAFake, type FakeRegistry } from './support/fake-registry.js';

describe('the inspector’s stream', () => {
  let clock: ManualClock;
  let registry: FakeRegistry;
  let inspector: Inspector;
  beforeEach(() => { ({ clock, registry, inspector } = inspectorOfAFake()); });
  const open = async (): Promise<ReadableStream<Uint8Array>> =>
    (await inspector(new Request('http://x/?view=stream'))).body as ReadableStream<Uint8Array>;

  /** Reads everything, and tells how many updates have come and whether it has ended. */
  function follow(stream: ReadableStream<Uint8Array>) {
    const seen: { updates: number; ended: unknown } = { updates: 0, ended: false };
    const read = async (): Promise<void> => {
      for await (const chunk of stream) if (new TextDecoder().decode(chunk).startsWith('data:')) seen.updates += 1;
    };
    void read().then(() => { seen.ended = true; }, (error: unknown) => { seen.ended = error; });
    return seen;
  }

  test('ends after five minutes, to the second', async () => {
    const seen = follow(await open());
    await clock.advance(299_999);
    expect(seen).toEqual({ updates: 300, ended: false });
    await clock.advance(1);
    expect(seen).toEqual({ updates: 300, ended: true });
  });

  test('skips outdated updates for a slow reader', async () => {
    const stream = await open();
    await clock.advance(100_000);
    inspector.stop();
    const seen = follow(stream);
    await clock.advance(0);
    expect(seen).toEqual({ updates: 3, ended: true });
  });

  test('takes at most a twentieth of the time of the process', async () => {
    const { snapshot } = registry;
    registry.snapshot = () => { clock.advanceSync(100); return snapshot(); };
    const seen = follow(await open());
    await clock.advance(1_999);
    expect(seen.updates).toBe(1);
    await clock.advance(1);
    expect(seen.updates).toBe(2);
  });

  test('ends for a reader that has left events unread for five minutes, and keeps nothing for it', async () => {
    const stream = await open();
    await clock.advance(300_000);
    const seen = follow(stream);
    await clock.advance(0);
    expect(seen).toEqual({ updates: 0, ended: new Error('The reader of the inspector is too slow') });
    expect(clock.pendingTimers).toBe(0);
  });

  test('is counted once when a slow reader leaves after it was stopped or after its request was aborted', async () => {
    const leaving = new AbortController();
    const opened = await Promise.all(Array.from({ length: 100 }, (_, index) =>
      inspector(new Request('http://x/?view=stream', index < 50 ? { signal: leaving.signal } : {}))));
    const status = async (): Promise<number> => (await inspector(new Request('http://x/?view=stream'))).status;
    leaving.abort();
    const withUnreadEvents = opened.slice(0, 50);
    for (const response of withUnreadEvents) await response.body?.cancel();
    const more = await Promise.all(Array.from({ length: 60 }, status));
    expect({ opened: more.filter((one) => one === 200).length, refused: more.filter((one) => one === 503).length }).toEqual({
      opened: 50,
      refused: 10,
    });
  });

  test('ends at once, and is not counted, if its page has already been closed', async () => {
    const closed = { signal: AbortSignal.abort() };
    const seen = await Promise.all(Array.from({ length: 101 }, async () =>
      follow((await inspector(new Request('http://x/?view=stream', closed))).body as ReadableStream<Uint8Array>)));
    await clock.advance(0);
    expect(seen).toEqual(Array.from(seen, () => ({ updates: 0, ended: true })));
    expect(clock.pendingTimers).toBe(0);
  });

  test('does not keep the process alive', async () => {
    await open();
    expect(clock).toMatchObject({ pendingTimers: 1, pendingRefTimers: 0 });
  });

  test('fails if there is nothing to show, and makes room for another', async () => {
    const streams = await Promise.all(Array.from({ length: 100 }, open));
    const seen = follow(streams[0] as ReadableStream<Uint8Array>);
    await clock.advance(0);
    const broken = new Error('no snapshot');
    registry.snapshot = () => { throw broken; };
    await clock.advance(1_000);
    expect(seen.ended).toBe(broken);
    expect(clock.pendingTimers).toBe(0);
    expect((await inspector(new Request('http://x/?view=stream'))).status).toBe(200);
  });
});
