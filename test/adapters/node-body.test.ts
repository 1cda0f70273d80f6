import { PassThrough } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { bodyOf, asRequestBody, type BodyOptions } from '../../src/adapters/node-body.js';
import type { UnreadBody } from '../../src/messages/requests.js';
import { requestOf, rest, type Message } from './support/messages.js';

const CHUNKED = { 'transfer-encoding': 'chunked' };
const tooLarge = expect.objectContaining({ code: 'BODY_TOO_LARGE' }) as unknown;
const lost = expect.objectContaining({ code: 'BODY_ALREADY_PARSED' }) as unknown;
const found = (message: Message, options: Partial<BodyOptions> = {}) => bodyOf(requestOf(message), { maxBytes: 100, ...options });

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

  test('is read whole up to the limit of its reader, if the bytes flow already', async () => {
    for (const { cap, outcome } of [{ cap: 6, outcome: 'onetwo' }, { cap: 5, outcome: 'BODY_TOO_LARGE' }]) {
      const req = requestOf({ body: 'one', complete: false });
      req.on('data', () => {});
      const body = asRequestBody(bodyOf(req, { maxBytes: 100 })) as UnreadBody;
      await rest();
      req.push('two');
      req.push(null);
      const read = body.read(cap, () => {}).then((bytes) => Buffer.from(bytes).toString(), ({ code }: { code: string }) => code);
      expect(await read).toBe(outcome);
    }
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
