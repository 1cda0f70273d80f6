import type { ServerResponse } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { rest } from './support/messages.js';
import { sending, stream } from './support/sent-responses.js';

/* Middleware, such as one that limits the time of a request, may answer or cut it off while a response is on its way. */

const theirs = /^HTTP\/1\.1 200 [^]*\r\n\r\ntheirs$/;

/** A body whose first read runs `atRead`. */
function readingRuns(atRead: (controller: ReadableStreamDefaultController<Uint8Array>) => void) {
  const cancel = vi.fn();
  return { cancel, response: new Response(new ReadableStream({ pull: atRead, cancel }, { highWaterMark: 0 })) };
}

describe('an answer that other code has sent', () => {
  test('is kept, and the response is discarded without an error', async () => {
    const { body, cancel } = stream();
    for (const response of [new Response(body), new Response(null, { status: 204, headers: { 'x-one': '1' } })]) {
      const { res, wire, onError, sent } = sending(response, {}, (given) => { given.end('theirs'); });
      await sent;
      await rest();
      expect({ written: wire.written, cut: res.destroyed }).toEqual({ written: expect.stringMatching(theirs), cut: false });
      expect(onError).not.toHaveBeenCalled();
    }
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  test('while the first part was read is kept, and the body is cancelled', async () => {
    let answer = (): void => {};
    const { response, cancel } = readingRuns(() => answer());
    const { res, wire, onError, sent } = sending(response, {}, (given) => { answer = () => void given.end('theirs'); });
    await sent;
    await rest();
    expect({ written: wire.written, cut: res.destroyed }).toEqual({ written: expect.stringMatching(theirs), cut: false });
    expect(cancel).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ name: 'AbortError' }));
    expect(onError).not.toHaveBeenCalled();
  });

  test('is not cut off by a body that fails', async () => {
    let answer = (): void => {};
    const { response } = readingRuns((controller) => {
      answer();
      controller.error(new Error('secret'));
    });
    const { res, wire, sent } = sending(response, {}, (given) => { answer = () => void given.end('theirs'); });
    await sent;
    await rest();
    expect({ written: wire.written, cut: res.destroyed }).toEqual({ written: expect.stringMatching(theirs), cut: false });
  });
});

describe('a client that leaves', () => {
  const slow = (res: ServerResponse): void => { (res.socket as unknown as { slow: boolean }).slow = true; };

  test('while the first part is read cancels the body', async () => {
    let leave = (): void => {};
    const { response, cancel } = readingRuns(() => leave());
    const { sent } = sending(response, {}, (given) => { leave = () => void given.destroy(); });
    await sent;
    expect(cancel).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ name: 'AbortError', message: 'The client disconnected.' }),
    );
  });

  test('before it took the parts that were read already ends the response', async () => {
    const { body, enqueue, cancel } = stream();
    for (const part of ['a', 'b', 'c']) enqueue(part.repeat(17 * 1024));
    const { res, sent } = sending(new Response(body), {}, slow);
    await rest();
    res.destroy();
    await sent;
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  test('may break its connection while a body is sent, which is no error of the process', async () => {
    const { body, enqueue, close } = stream();
    const { res, sent } = sending(new Response(body));
    await rest();
    expect(() => res.emit('error', new Error('EPIPE'))).not.toThrow();
    enqueue('x');
    close();
    await sent;
  });
});

test('a plain 500 has the usual reason, whatever the response had', async () => {
  const failing = new ReadableStream({ pull: (controller) => controller.error(new Error('x')) }, { highWaterMark: 0 });
  const { wire, sent } = sending(new Response(failing, { statusText: 'Of its own' }));
  await sent;
  expect(wire.written).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
});
