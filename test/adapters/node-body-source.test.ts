import { describe, expect, test } from 'vitest';
import { bodyOf, declaredLength, type BodyOptions, type NodeBody } from '../../src/adapters/node-body.js';
import { requestOf, rest, type Message } from './support/messages.js';

const CHUNKED = { 'transfer-encoding': 'chunked' };
const found = (message: Message, options: Partial<BodyOptions> = {}) => bodyOf(requestOf(message), { maxBytes: 100, ...options });
const textOf = (body: NodeBody) =>
  body.kind === 'bytes' ? Buffer.from(body.bytes).toString() : body.kind === 'refused' ? body.error.code : body.kind;

describe('the source of the bytes of a body', () => {
  test.each<{ what: string; message: Message; expected: string }>([
    { what: 'a GET', message: { method: 'GET', body: 'x' }, expected: 'empty' },
    { what: 'a HEAD', message: { method: 'HEAD', body: 'x' }, expected: 'empty' },
    { what: 'neither length nor chunks', message: {}, expected: 'empty' },
    { what: 'a length of 0', message: { headers: { 'content-length': '00' } }, expected: 'empty' },
    { what: 'chunks', message: { headers: CHUNKED }, expected: 'unread' },
    { what: 'a length', message: { body: 'x' }, expected: 'unread' },
    {
      what: 'HTTP/2: nothing follows the headers',
      message: { httpVersionMajor: 2, kept: { stream: { endAfterHeaders: true } } },
      expected: 'empty',
    },
    {
      what: 'HTTP/2: something follows',
      message: { httpVersionMajor: 2, kept: { stream: { endAfterHeaders: false } } },
      expected: 'unread',
    },
    { what: 'HTTP/2 of another kind', message: { httpVersionMajor: 2 }, expected: 'unread' },
    {
      what: 'kept bytes',
      message: { body: 'as it came', kept: { rawBody: Buffer.from('raw'), body: { parsed: 1 } } },
      expected: 'raw',
    },
    { what: 'kept text', message: { body: 'raw', kept: { rawBody: 'raw', body: {} } }, expected: 'raw' },
    { what: 'a body that is bytes', message: { body: 'raw', kept: { body: Buffer.from('raw') } }, expected: 'raw' },
    {
      what: 'a body that is the bytes of what came compressed',
      message: { body: 'gzipped', kept: { body: Buffer.from('raw') } },
      expected: 'raw',
    },
    { what: 'a body that is text', message: { body: 'raw', kept: { body: 'raw' } }, expected: 'raw' },
    {
      what: 'kept bytes beside text',
      message: { body: 'four', kept: { rawBody: Buffer.from('raw'), body: 'text' } },
      expected: 'raw',
    },
    { what: 'a parsed body whose bytes are still there', message: { body: 'x', kept: { body: {} } }, expected: 'unread' },
    {
      what: 'text that is longer than what came',
      message: { body: 'raw', kept: { body: '\ufeffraw' } },
      expected: 'BODY_ALREADY_PARSED',
    },
    {
      what: 'kept text that is',
      message: { body: 'raw', kept: { rawBody: '\ufeffraw', body: Buffer.from('raw') } },
      expected: 'BODY_ALREADY_PARSED',
    },
    {
      what: 'text of what came compressed',
      message: { body: 'gz', headers: { 'content-encoding': 'gzip' }, kept: { body: 'text' } },
      expected: 'text',
    },
    { what: 'text without a length to compare', message: { headers: CHUNKED, kept: { body: 'text' } }, expected: 'text' },
    {
      what: 'kept text beside other bytes',
      message: { body: 'four', kept: { rawBody: 'raw', body: Buffer.from('four') } },
      expected: 'BODY_ALREADY_PARSED',
    },
    { what: 'as many as may be', message: { headers: CHUNKED, kept: { body: 'x'.repeat(100) } }, expected: 'x'.repeat(100) },
    { what: 'more than may be', message: { headers: CHUNKED, kept: { body: 'x'.repeat(101) } }, expected: 'BODY_TOO_LARGE' },
    { what: 'a length of as many as may be', message: { headers: { 'content-length': '100' } }, expected: 'unread' },
    { what: 'a length of more', message: { headers: { 'content-length': '101' } }, expected: 'BODY_TOO_LARGE' },
  ])('$what', ({ message, expected }) => {
    expect(textOf(found(message))).toBe(expected);
  });

  test('is the place where a framework keeps them', () => {
    expect(textOf(found({ body: 'raw', kept: { body: 'not this' } }, { parsed: { rawBody: 'raw' } }))).toBe('raw');
  });

  test('is lost for a stream that was read, or that ended unread', async () => {
    const read = requestOf({ body: 'x' });
    read.read();
    const ended = requestOf({ headers: CHUNKED });
    ended.resume();
    await rest();
    for (const req of [read, ended]) expect(textOf(bodyOf(req, { maxBytes: 100 }))).toBe('BODY_ALREADY_PARSED');
  });

  test('has an announced length', () => {
    expect(declaredLength(requestOf({ headers: { 'content-length': '12' } }))).toBe(12);
    expect(declaredLength(requestOf())).toBeNaN();
  });
});
