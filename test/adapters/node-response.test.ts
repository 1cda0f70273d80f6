import { describe, expect, test, vi } from 'vitest';
import { assertResponse } from '../../src/adapters/node-response.js';
import { discardBody } from '../../src/messages/response-body.js';
import { isGone, isOver, type NodeResponse } from '../../src/adapters/node-types.js';
import { rest } from './support/messages.js';
import { bytes, sending, stream, written } from './support/sent-responses.js';

describe('the body of a response', () => {
  test('that is a stream and complete at once is sent in one piece', async () => {
    const { body, enqueue, close } = stream();
    enqueue('whole');
    close();
    const write = vi.fn(() => true);
    expect(await written(
      new Response(body, { status: 201, headers: { 'x-one': '1', 'x-two': 'second' } }), {}, (res) => { res.write = write; },
    )).toMatch(/^HTTP\/1\.1 201 [^]*x-one: 1\r\nx-two: second\r\n[^]*Content-Length: 5\r\n[^]*\r\nwhole$/i);
    expect(write).not.toHaveBeenCalled();
    const empty = stream();
    empty.close();
    expect(await written(new Response(empty.body))).toMatch(/Content-Length: 0\r\n/i);
  });

  test('that takes its time is sent part by part, after the head', async () => {
    const { body, enqueue, close } = stream();
    const { wire, sent } = sending(new Response(body, { headers: { 'x-one': '1' } }));
    await rest();
    expect(wire.written).toMatch(/x-one: 1\r\n[^]*\r\n\r\n$/);
    for (const part of ['first', 'second']) {
      enqueue(part);
      await rest();
      expect(wire.written).toContain(part);
    }
    close();
    await sent;
    await rest();
    expect(wire.written).toMatch(/0\r\n\r\n$/);
  });

  test('that takes its time and is empty ends the message', async () => {
    const { body, close } = stream();
    const { wire, sent } = sending(new Response(body));
    await rest();
    close();
    await sent;
    await rest();
    expect(wire.written).toMatch(/\r\n\r\n0\r\n\r\n$/);
  });

  test('whose first part is there at once is sent in order', async () => {
    const { body, enqueue, close } = stream();
    enqueue('first');
    const { wire, sent } = sending(new Response(body));
    await rest();
    expect(wire.written).toContain('first');
    enqueue('second');
    close();
    await sent;
    await rest();
    expect(wire.written).toMatch(/first[^]*second[^]*0\r\n\r\n$/);
  });

  test('is asked for no more than the client takes', async () => {
    let pulls = 0;
    const part = 'x'.repeat(64 * 1024);
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls += 1;
        if (pulls > 5) controller.close();
        else controller.enqueue(bytes(part));
      },
    }, { highWaterMark: 0 });
    const { res, wire, sent } = sending(new Response(body), {}, (slow) => {
      (slow.socket as unknown as { slow: boolean }).slow = true;
    });
    await rest();
    expect(pulls, 'only the chunk that is being written').toBe(1);
    wire.takeAll();
    await sent;
    const listeners = { drain: res.listenerCount('drain'), close: res.listenerCount('close') };
    expect(listeners, 'five parts leave no listener').toEqual({ drain: 0, close: 0 });
    await rest();
    expect(pulls).toBe(6);
    expect(wire.written.replaceAll(/[^x]/g, '')).toHaveLength(5 * part.length);
  });

  test.each(['at once', 'while it is waited for', 'after a part', 'while the client is slow'])(
    'is cancelled when the client leaves %s',
    async (when) => {
      const { body, cancel, enqueue } = stream();
      if (when === 'after a part' || when === 'while the client is slow')
        enqueue('x'.repeat(when === 'after a part' ? 1 : 64 * 1024));
      const { res, wire, sent, onError } = sending(new Response(body), {}, (given) => {
        if (when === 'while the client is slow') (given.socket as unknown as { slow: boolean }).slow = true;
        if (when === 'at once') given.destroy();
      });
      await rest();
      res.destroy();
      await sent;
      expect(cancel).toHaveBeenCalledTimes(1);
      expect(onError).not.toHaveBeenCalled();
      if (when === 'at once') expect(wire.written).toBe('');
      else
        expect(cancel).toHaveBeenCalledWith(expect.objectContaining({ name: 'AbortError', message: 'The client disconnected.' }));
    },
  );

  test('that fails before its first part is a plain 500, half-way it cuts the connection', async () => {
    const early = stream();
    early.fail();
    const first = sending(new Response(early.body, { headers: { 'x-one': '1' } }));
    await first.sent;
    expect(first.wire.written).toMatch(/^HTTP\/1\.1 500 [^]*HANDLER_FAILED/);
    expect(first.wire.written).not.toMatch(/secret|x-one/);
    expect(first.onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'secret' }));

    const late = stream();
    late.enqueue('half');
    const second = sending(new Response(late.body));
    await rest();
    late.fail();
    await second.sent;
    expect({ destroyed: second.res.destroyed, ended: second.wire.written.endsWith('0\r\n\r\n') }).toEqual({
      destroyed: true,
      ended: false,
    });
    expect(second.onError).toHaveBeenCalledTimes(1);
  });

  test('of a HEAD is cancelled', async () => {
    const { body, cancel } = stream();
    expect(await written(new Response(body, { headers: { 'x-one': '1' } }), { method: 'HEAD' })).toMatch(
      /x-one: 1\r\n[^]*\r\n\r\n$/,
    );
    expect(cancel).toHaveBeenCalledTimes(1);
    expect(await written(new Response('text'), { method: 'HEAD' })).toMatch(/\r\n\r\n$/);
  });

  test('that is being read by other code is answered 500', async () => {
    const response = new Response(stream().body);
    response.body?.getReader();
    expect(await written(response)).toMatch(/^HTTP\/1\.1 500 /);
  });

  test('is cancelled without an event, whatever it is', async () => {
    const failing = new ReadableStream({ cancel: () => Promise.reject(new Error('x')) });
    const locked = new Response(stream().body);
    locked.body?.getReader();
    for (const response of [new Response(failing), locked, new Response(null), undefined, null])
      expect(discardBody(response as Response)).toBeUndefined();
    await rest();
  });
});

test.each<{ value: unknown; is: boolean }>([
  { value: new Response('x'), is: true },
  { value: new Response(null, { status: 204 }), is: true },
  { value: { status: 200, headers: { getSetCookie: () => [] } }, is: true },
  { value: { status: 599, headers: { getSetCookie: () => [] } }, is: true },
  { value: { status: 199, headers: { getSetCookie: () => [] } }, is: false },
  { value: Response.error(), is: false },
  { value: undefined, is: false },
  { value: null, is: false },
  { value: 'x', is: false },
  { value: { status: 200 }, is: false },
  { value: { status: 200, headers: {} }, is: false },
  { value: { status: '200', headers: new Headers() }, is: false },
])('assertResponse accepts a Response and refuses anything else: %#', ({ value, is }) => {
  if (is) expect(assertResponse(value as Response)).toBe(value);
  else expect(() => assertResponse(value as Response)).toThrow(TypeError);
});

test.each<{ what: string; state: object; over: boolean; gone: boolean }>([
  { what: 'nothing has happened', state: {}, over: false, gone: false },
  { what: 'its head was sent', state: { headersSent: true }, over: true, gone: false },
  { what: 'it was ended', state: { writableEnded: true }, over: true, gone: false },
  { what: 'it was destroyed', state: { destroyed: true }, over: true, gone: true },
  { what: 'it closed', state: { closed: true }, over: true, gone: true },
  { what: 'its stream was reset', state: { stream: { destroyed: true } }, over: true, gone: true },
  { what: 'its stream is fine', state: { stream: { destroyed: false } }, over: false, gone: false },
  {
    what: 'it finished and closed',
    state: { headersSent: true, writableEnded: true, writableFinished: true, closed: true, destroyed: true },
    over: true,
    gone: false,
  },
  {
    what: 'it was reset, which counts as finished',
    state: { writableFinished: true, stream: { destroyed: true } },
    over: true,
    gone: true,
  },
  { what: 'it was ended and cut off', state: { writableEnded: true, destroyed: true }, over: true, gone: true },
])('$what: over and gone are recognised', ({ state, over, gone }) => {
  const res = {
    headersSent: false,
    writableEnded: false,
    writableFinished: false,
    destroyed: false,
    closed: false,
    ...state,
  } as unknown as NodeResponse;
  expect({ over: isOver(res), gone: isGone(res) }).toEqual({ over, gone });
});
