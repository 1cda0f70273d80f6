import type { Clock } from '../clock.js';

/** A stream of server-sent events. */
export interface StreamOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The least time between two events, in milliseconds. */
  readonly intervalMs: number;
  /** After this long the stream ends and the browser asks again, and is authorised again. Milliseconds. */
  readonly lastsMs: number;
  readonly next: () => unknown;
  readonly ended: () => void;
}

/** Of the time between two events, at most one part in so many goes into making them. */
const REST = 20;

/** Sends what `next` returns, now and again. A reader that is too slow misses what it had no room for. */
export function eventStream({ clock, signal, intervalMs, lastsMs, next, ended }: StreamOptions): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const until = clock.monotonic() + lastsMs;
  let finish = (): void => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      let cancel = (): void => {};
      const close = (): void => {
        finish();
        controller.close();
      };
      finish = (): void => {
        cancel();
        signal.removeEventListener('abort', close);
        ended();
      };
      const send = (): void => {
        const began = clock.monotonic();
        if (began >= until || signal.aborted) return close();
        if ((controller.desiredSize ?? 0) > 0) {
          try {
            controller.enqueue(encoder.encode(`data: ${JSON.stringify(next())}\n\n`));
          } catch (error) {
            finish();
            controller.error(error);
            return;
          }
        }
        const cost = clock.monotonic() - began;
        cancel = clock.setTimeout(send, Math.max(intervalMs, cost * REST), { ref: false });
      };
      signal.addEventListener('abort', close);
      controller.enqueue(encoder.encode('retry: 1000\n\n'));
      send();
    },
    cancel: () => finish(),
  }, new CountQueuingStrategy({ highWaterMark: 4 }));
}
