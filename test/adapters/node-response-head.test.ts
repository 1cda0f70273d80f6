import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { closesConnection } from '../../src/adapters/node-response.js';
import { requestOf, rest, type Message } from './support/messages.js';
import { sending, stream, written } from './support/sent-responses.js';

const CHUNKED = { 'transfer-encoding': 'chunked' };

describe('the head of a response', () => {
  test('has status, reason and headers, and never those that frame the message', async () => {
    const head = await written(
      new Response('text', {
        status: 201,
        statusText: 'Fine',
        headers: { 'x-one': '1', 'transfer-encoding': 'gzip', 'keep-alive': 'timeout=1' },
      }),
    );
    expect(head).toMatch(/^HTTP\/1\.1 201 Fine\r\n[^]*x-one: 1\r\n/);
    expect(head).toMatch(/content-length: 4\r\n[^]*\r\ntext$/i);
    expect(head).not.toMatch(/gzip|timeout=1/);
    expect(await written(new Response(null, { status: 204 }))).toMatch(/^HTTP\/1\.1 204 No Content\r\n/);
  });

  test.each<{ before: unknown; first: string[] }>([
    { before: undefined, first: [] },
    { before: 'a=1', first: ['a=1'] },
    {
      before: ['a=1', 'b=2'],
      first: ['a=1', 'b=2'],
    },
    { before: 7, first: ['7'] },
  ])('adds its cookies to those set before: $before', async ({ before, first }) => {
    const headers = new Headers([
      ['set-cookie', 'c=3'],
      ['set-cookie', 'd=4'],
    ]);
    const head = await written(new Response(null, { headers }), {}, (res) => {
      if (before !== undefined) res.setHeader('set-cookie', before as string);
    });
    expect([...head.matchAll(/set-cookie: (.*)\r\n/gi)].map(([, cookie]) => cookie)).toEqual([...first, 'c=3', 'd=4']);
    expect(
      await written(new Response(null), {}, (res) => {
        res.setHeader('set-cookie', 'a=1');
      }),
    ).toMatch(/set-cookie: a=1\r\n/);
  });

  test('has the length of the bytes, whatever the handler says; only HEAD and 304 may state one', async () => {
    for (const length of ['1', '5', '0x5', '4, 4']) {
      const headers = { 'content-length': length };
      expect(await written(new Response('text', { headers }))).toMatch(/content-length: 4\r\n[^]*\r\ntext$/i);
      expect(await written(new Response(null, { headers }))).toMatch(/content-length: 0\r\n\r\n$/i);
      expect(await written(new Response(null, { status: 204, headers }))).not.toMatch(/content-length/i);
    }
    const stated = async (length: string, status = 200) => [...(await written(
      new Response(status === 304 ? null : 'text', { status, headers: { 'content-length': length } }),
      { method: status === 304 ? 'GET' : 'HEAD' },
    )).matchAll(/content-length: (.*)\r\n/gi)].map(([, value]) => value);
    expect(await stated('512')).toEqual(['512']);
    expect(await stated('5', 304)).toEqual(['5']);
    for (const wrong of ['0x5', '-5', '5, 5', '5.0', '1e3', '9'.repeat(30)]) expect(await stated(wrong)).toEqual([]);
  });

  test('drops a length that middleware has set, because middleware did not know the body', async () => {
    const set = (res: ServerResponse): void => { 
      res.setHeader('content-length', '99').setHeader('trailer', 'x-sum').setHeader('transfer-encoding', 'gzip');
    };
    expect(await written(new Response('text'), {}, set)).toMatch(/^(?![^]*(?:99|x-sum|gzip))[^]*content-length: 4\r\n[^]*text$/i);
    const { body, enqueue, close } = stream();
    const { wire, sent } = sending(new Response(body), {}, set);
    await rest();
    enqueue('late');
    close();
    await sent;
    await rest();
    expect(wire.written).toMatch(/transfer-encoding: chunked\r\n[^]*\r\n4\r\nlate\r\n0\r\n\r\n$/i);
    expect(wire.written).not.toMatch(/content-length/i);
  });

  test('announces no chunks to a client of HTTP/1.0, which reads until the connection ends', async () => {
    const { body, enqueue, close } = stream();
    const { wire, sent } = sending(new Response(body), { kept: { httpVersionMinor: 0 } });
    await rest();
    enqueue('late');
    close();
    await sent;
    await rest();
    expect(wire.written).toMatch(/^(?![^]*transfer-encoding)[^]*\r\n\r\nlate$/i);
  });

  test.each<{ what: string; message: Message; status: number; closes: boolean }>([
    { what: 'the request was read', message: { headers: { 'content-length': '9' } }, status: 413, closes: false },
    {
      what: 'HTTP/2',
      message: { headers: { 'content-length': '9' }, complete: false, httpVersionMajor: 2 },
      status: 413,
      closes: false,
    },
    { what: 'no body', message: { complete: false }, status: 413, closes: false },
    { what: 'an empty one', message: { headers: { 'content-length': '0' }, complete: false }, status: 413, closes: false },
    { what: 'a refused one', message: { headers: { 'content-length': '1' }, complete: false }, status: 413, closes: true },
    { what: 'a small one', message: { headers: { 'content-length': '65536' }, complete: false }, status: 200, closes: false },
    { what: 'a large one', message: { headers: { 'content-length': '65537' }, complete: false }, status: 200, closes: true },
    { what: 'one of unknown length', message: { headers: CHUNKED, complete: false }, status: 200, closes: true },
  ])('closes the connection if need be: $what', ({ message, status, closes }) => {
    expect(closesConnection(requestOf(message), status)).toBe(closes);
  });

  test('announces that the connection ends with it', async () => {
    expect(await written(new Response('x'), { headers: CHUNKED, complete: false })).toMatch(/connection: close\r\n/i);
    expect(await written(new Response('x'))).not.toMatch(/connection: close\r\n/i);
  });
});
