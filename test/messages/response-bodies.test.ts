import { describe, expect, test } from 'vitest';
import { settle } from '../../src/testing/manual-clock.js';
import { Holds } from '../../src/webhook/holds.js';
import { whenRead } from '../../src/messages/streaming.js';

/** A source that counts how often it was asked for more. */
function source(next: (pulled: number) => Uint8Array | Error | undefined): {
  readonly response: Response;
  readonly pulled: () => number;
} {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled += 1;
        const chunk = next(pulled);
        if (chunk instanceof Error) controller.error(chunk);
        else if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
  return { response: new Response(body), pulled: () => pulled };
}
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('how far a response is read ahead', () => {
  test('sixteen pieces', async () => {
    const { response, pulled } = source(() => new Uint8Array(10));
    const sent = await whenRead(response, () => {});
    expect(pulled()).toBe(16);
    await settle();
    expect(pulled()).toBe(16);
    await sent.body?.cancel();
  });

  test.each([
    { bytes: 64 * 1024, asked: 1 },
    { bytes: 64 * 1024 - 1, asked: 2 },
    { bytes: 32 * 1024, asked: 2 },
  ])('64 KiB: of pieces of $bytes bytes, $asked are asked for', async ({ bytes, asked }) => {
    const { response, pulled } = source(() => new Uint8Array(bytes));
    await (await whenRead(response, () => {})).body?.cancel();
    expect(pulled()).toBe(asked);
  });

  test('parts read ahead come before the rest, in order, and done is called at the end', async () => {
    let done = 0;
    const { response } = source((pulled) => pulled <= 40 ? text(`${pulled} `) : undefined);
    const sent = await whenRead(response, () => { done += 1; });
    expect(done).toBe(0);
    expect(await sent.text()).toBe(`${Array.from({ length: 40 }, (_, index) => index + 1).join(' ')} `);
    expect(done).toBe(1);
  });

  test('later parts are read when they are needed, and not before', async () => {
    const { response, pulled } = source(() => new Uint8Array(10));
    const reader = (await whenRead(response, () => {})).body?.getReader();
    for (let read = 1; read <= 16; read += 1) await reader?.read();
    await settle();
    expect(pulled()).toBe(16);
    await reader?.read();
    expect(pulled()).toBe(17);
    await reader?.cancel();
  });

  test('a stream that ends at once is complete before anything reads it, and loses nothing', async () => {
    let done = 0;
    const { response } = source((pulled) => ['one ', 'two'].map(text)[pulled - 1]);
    const sent = await whenRead(response, () => { done += 1; });
    expect(done).toBe(1);
    expect(await sent.text()).toBe('one two');
    expect(done).toBe(1);
  });

  test('a source that fails at once fails the call that sends the response', async () => {
    let done = 0;
    const { response } = source((pulled) => pulled === 1 ? text('one') : new Error('gone'));
    await expect(whenRead(response, () => { done += 1; })).rejects.toThrow('gone');
    expect(done).toBe(1);
  });
});

describe('the holders of a lease', () => {
  test('release it with the last of them, each once', () => {
    let released = 0;
    const holds = new Holds(() => { released += 1; });
    const [first, second] = [holds.take(), holds.take()];
    first();
    first();
    first();
    holds.close();
    expect(released).toBe(0);
    second();
    expect(released).toBe(1);
    second();
    expect(released).toBe(1);
  });
});
