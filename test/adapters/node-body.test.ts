import { PassThrough } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { bodyOf, asRequestBody, type BodyOptions, declaredLength, type NodeBody } from '../../src/adapters/node-body.js';
import type { UnreadBody } from '../../src/messages/requests.js';
import { requestOf, rest, type Message } from './support/messages.js';

const CHUNKED = { 'transfer-encoding': 'chunked' };
const tooLarge = expect.objectContaining({ code: 'BODY_TOO_LARGE' }) as unknown;
const lost = expect.objectContaining({ code: 'BODY_ALREADY_PARSED' }) as unknown;
const found = (message: Message, options: Partial<BodyOptions> = {}) => bodyOf(requestOf(message), { maxBytes: 100, ...options });
const textOf = (body: NodeBody) =>
  body.kind === 'bytes' ? Buffer.from(body.bytes).toString() : body.kind === 'refused' ? body.error.code : body.kind;

/** A body nobody has read yet, and the request it is of. */
function unread(message: Message, options: Partial<BodyOptions> = {}) {
  const req = requestOf(message);
  const given = bodyOf(req, { maxBytes: 100, ...options });
  if (given.kind !== 'unread') throw new Error(`expected an unread body, got ${given.kind}`);
  const body = given.body as UnreadBody;
  let stop: () => void = () => {};
  return {
    req,
    body,
    read: (cap = 100) =>
      body
        .read(cap, (stops) => {
          stop = stops;
        })
        .then((bytes) => Buffer.from(bytes).toString()),
    stop: () => stop(),
  };
}

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

describe('a body that is read whole', () => {
  test('arrives complete, and leaves no listener', async () => {
    const { req, read } = unread({ body: 'all of it' });
    expect(await read()).toBe('all of it');
    expect(['data', 'end', 'close'].map((event) => req.listenerCount(event))).toEqual([0, 0, 0]);
  });

  test('may come from a stream of a framework', async () => {
    const source = new PassThrough();
    const { read } = unread({ headers: CHUNKED }, { source });
    source.end('decoded');
    expect(await read()).toBe('decoded');
  });

  test('may come from a stream of text', async () => {
    const source = new PassThrough({ objectMode: true });
    const { read } = unread({ headers: CHUNKED }, { source });
    source.end('ü€');
    expect(await read()).toBe('ü€');
  });

  test('arrives byte for byte although an encoding was set', async () => {
    const req = requestOf({ body: Buffer.from([0xe9, 0x80]) });
    req.setEncoding('latin1');
    const body = (bodyOf(req, { maxBytes: 100 }) as { body: UnreadBody }).body;
    expect([...await body.read(100, () => {})]).toEqual([0xe9, 0x80]);
  });

  test.each([
    { length: 101, cap: 100, tells: true },
    { length: 101, cap: 200, tells: true },
    { length: 11, cap: 10, tells: false },
    { length: 100, cap: 100, tells: undefined },
    { length: 10, cap: 10, tells: undefined },
  ])(
    'of $length bytes with a cap of $cap of its reader: onTooLarge is called: $tells',
    async ({ length, cap, tells }) => {
      const onTooLarge = vi.fn();
      const { req, read } = unread(
        { body: 'x'.repeat(length), headers: { 'content-length': undefined, ...CHUNKED } },
        { onTooLarge },
      );
      if (tells === undefined) return expect(await read(cap)).toHaveLength(length);
      await expect(read(cap)).rejects.toEqual(tooLarge);
      expect(onTooLarge).toHaveBeenCalledTimes(tells ? 1 : 0);
      expect(req.isPaused()).toBe(true);
    },
  );

  test('is not read if it is announced as longer than its reader takes', async () => {
    const { req, read } = unread({ body: 'x'.repeat(11) });
    await expect(read(10)).rejects.toEqual(tooLarge);
    expect(req.readableFlowing).toBeNull();
    expect(await read(11)).toHaveLength(11);
  });

  test('is read no further once it is stopped', async () => {
    const { req, read, stop } = unread({ body: 'half', complete: false });
    const reading = read();
    stop();
    await expect(reading).rejects.toThrow('Nobody waits');
    expect(req.isPaused()).toBe(true);
    expect(req.listenerCount('data')).toBe(0);
  });

  test.each<{ how: string; lose: (req: ReturnType<typeof requestOf>) => void }>([
    { how: 'breaks', lose: (req) => { req.destroy(new Error('reset')); } },
    { how: 'closes', lose: (req) => { req.destroy(); } },
    { how: 'reports an error', lose: (req) => { req.emit('error', new Error('x')); } },
  ])('that $how half-way fails its reader only', async ({ lose }) => {
    const { req, read } = unread({ body: 'half', complete: false });
    const outcome = expect(read()).rejects.toThrow('before it was complete');
    await rest();
    lose(req);
    await outcome;
  });

  test('that broke before it was read fails its reader too', async () => {
    const { req, read } = unread({ body: 'half', complete: false });
    req.destroy(new Error('reset'));
    await rest();
    await expect(read()).rejects.toThrow('before it was complete');
  });
});

describe('a body that is read as a stream', () => {
  const streamOf = (message: Message, options: Partial<BodyOptions> = {}) => {
    const { req, body } = unread(message, options);
    return { req, reader: body.stream().getReader() };
  };

  test('is read only on request, and no further', async () => {
    const { req, reader } = streamOf({ body: 'one', complete: false });
    await rest();
    expect(req.readableFlowing).toBeNull();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('one');
    expect(req.isPaused()).toBe(true);
    const second = reader.read();
    req.push('two');
    req.push(null);
    expect(Buffer.from((await second).value!).toString()).toBe('two');
    expect(await reader.read()).toEqual({ done: true, value: undefined });
    expect(req.listenerCount('data')).toBe(0);
  });

  test('is read no further once it is cancelled, even before its first part', async () => {
    const { req, reader } = streamOf({ body: 'one', complete: false });
    await reader.read();
    await reader.cancel();
    expect({ paused: req.isPaused(), dataListeners: req.listenerCount('data') }).toEqual({ paused: true, dataListeners: 0 });
    await streamOf({ body: 'one' }).reader.cancel();
  });

  test('fails over the cap, and onTooLarge is called', async () => {
    const onTooLarge = vi.fn();
    const { req, reader } = streamOf(
      { body: 'x'.repeat(101), headers: { 'content-length': undefined, ...CHUNKED } },
      { onTooLarge },
    );
    await expect(reader.read()).rejects.toEqual(tooLarge);
    expect(onTooLarge).toHaveBeenCalledTimes(1);
    expect(req.isPaused()).toBe(true);
  });

  test('fails if it breaks half-way', async () => {
    const { req, reader } = streamOf({ body: 'one', complete: false });
    await reader.read();
    req.destroy();
    await expect(reader.read()).rejects.toThrow('before it was complete');
  });

  test('loses no byte if they flow already', async () => {
    const req = requestOf({ body: 'one', complete: false });
    const others = vi.fn();
    req.on('data', others);
    const body = bodyOf(req, { maxBytes: 100 });
    await rest();
    req.push('two');
    req.push(null);
    expect(await new Response((asRequestBody(body) as UnreadBody).stream() as ReadableStream).text()).toBe('onetwo');
    expect(others).toHaveBeenCalledTimes(2);
  });
});

describe('the body of a Request', () => {
  test('is nothing, or bytes that the platform copies', async () => {
    expect(asRequestBody({ kind: 'empty' })).toBeNull();
    const bytes = Buffer.from('raw');
    const request = new Request('http://h/', { method: 'POST', body: asRequestBody({ kind: 'bytes', bytes }) as BodyInit });
    bytes.fill(0);
    expect(await request.text()).toBe('raw');
  });

  test('fails its reader if it was refused', async () => {
    const part = asRequestBody(found({ kept: { body: '\ufeffx' }, body: 'x' })) as UnreadBody;
    await expect(part.read(1, () => {})).rejects.toEqual(lost);
    await expect(part.stream().getReader().read()).rejects.toEqual(lost);
  });
});
