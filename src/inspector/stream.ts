import type { Clock } from '../clock.js';

/** A stream of server-sent events. */
export interface StreamOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The least time between two events, in milliseconds. */
  readonly intervalMs: number;
  /** The stream ends after this many milliseconds. The browser then connects again, and is authorised again. */
  readonly lastsMs: number;
  readonly next: () => unknown;
  readonly ended: () => void;
}

/** Making an event takes at most one part in so many of the time between two events. */
const REST = 20;

/** Events that wait for a reader. */
const ROOM = 4;

/**
 * Sends what `next` returns at every interval. A slow reader misses the events that it has no room for. `ended` is
 * called once, when the stream is empty. If a reader still has events to read when the time is over, it gets an error,
 * because its stream would stay open uncounted.
 */
export function eventStream({ clock, signal, intervalMs, lastsMs, next, ended }: StreamOptions): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const until = clock.monotonic() + lastsMs;
  let finish = (): void => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      let cancelTimer = (): void => {};
      let finished = false;
      const close = (): void => {
        finish();
        controller.close();
      };
      const fail = (error: unknown): void => {
        finish();
        controller.error(error);
      };
      finish = (): void => {
        // A stream that was closed is also cancelled by a reader that leaves before it has read everything.
        if (finished) return;
        finished = true;
        cancelTimer();
        signal.removeEventListener('abort', close);
        ended();
      };
      const send = (): void => {
        const began = clock.monotonic();
        const room = controller.desiredSize ?? 0;
        if (signal.aborted) return close();
        if (began >= until) return room === ROOM ? close() : fail(new Error('The reader of the inspector is too slow'));
        if (room > 0) {
          try {
            controller.enqueue(encoder.encode(`data: ${JSON.stringify(next())}\n\n`));
          } catch (error) {
            return fail(error);
          }
        }
        const cost = clock.monotonic() - began;
        cancelTimer = clock.setTimeout(send, Math.max(intervalMs, cost * REST), { ref: false });
      };
      signal.addEventListener('abort', close);
      controller.enqueue(encoder.encode('retry: 1000\n\n'));
      send();
    },
    cancel: () => finish(),
  }, new CountQueuingStrategy({ highWaterMark: ROOM }));
}
