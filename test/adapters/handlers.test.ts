import { expressWebhook, type ExpressRequest, type ExpressWebhookOptions } from 'hydrant/express';
import { toNodeHandler } from 'hydrant/node';
import { settle } from 'hydrant/testing';
import { describe, expect, test, vi } from 'vitest';
import { limitedTo } from './support/limited-registry.js';
import { requestOf, responseTo, rest, type Message } from './support/messages.js';

const host = { host: 'h', 'x-forwarded-proto': 'https' };

/** The answer to one request, without a network. */
async function answer(
  handle: (req: ReturnType<typeof requestOf>, res: ReturnType<typeof responseTo>['res']) => void,
  message: Message = {},
): Promise<string> {
  const req = requestOf({ body: 'text', ...message, headers: { ...host, ...message.headers } });
  const { res, wire } = responseTo(req);
  expect(handle(req, res)).toBeUndefined();
  await rest();
  return wire.written;
}

type Served = Parameters<typeof expressWebhook>[0];

describe('expressWebhook', () => {
  const registry = {
    handleWebhook: async (id: string, request: Request) =>
      new Response(`${id} ${request.url} ${await request.text().catch((error: Error) => error.message)}.`),
  };
  const webhook = (options: ExpressWebhookOptions = {}, kept: object = {}, message: Message = {}, served: Served = registry) =>
    answer(
      (req, res) =>
        expressWebhook(served, options)(req as unknown as ExpressRequest, res, () => {
          throw new Error('next was called');
        }),
      { ...message, kept: { params: { connectionId: 'c1' }, ...kept } },
    );
  const trusting = (isTrusted: unknown) => ({
    app: { get: (name: string) => (name === 'trust proxy fn' ? isTrusted : undefined) },
  });

  test.each<{ connectionId: unknown; id: string }>([
    { connectionId: 'c1', id: 'c1' },
    { connectionId: ['a', 'b'], id: 'a/b' },
    { connectionId: undefined, id: 'INVALID_OPTIONS' },
  ])('of a parameter that is $connectionId the id is $id', async ({ connectionId, id }) => {
    expect(await webhook({ onError: () => {} }, { params: { connectionId } })).toContain(id);
  });

  test('the proxy is trusted if the app trusts its peer', async () => {
    const isTrusted = vi.fn(() => true);
    expect(await webhook({}, trusting(isTrusted))).toContain('c1 https://h/ text.');
    expect(isTrusted).toHaveBeenCalledExactlyOnceWith('127.0.0.1', 0);
    for (const kept of [trusting(() => false), trusting(() => 'yes'), trusting(true), trusting(undefined), {}])
      expect(await webhook({}, kept)).toContain('c1 http://h/');
  });

  test('the option takes precedence over the app', async () => {
    expect(await webhook({ trustProxy: false }, trusting(() => true))).toContain('c1 http://h/');
    expect(await webhook({ trustProxy: true }, trusting(() => false))).toContain('c1 https://h/');
    expect(await webhook({ origin: 'https://public' })).toContain('c1 https://public/');
  });

  test('the registry limits the body, also for a function that reads it; 1 MiB without its limit', async () => {
    const mib = 'x'.repeat(1024 * 1024);
    const connectionId = () => 'c2';
    for (const options of [{}, { connectionId }]) {
      expect(await webhook(options, {}, {}, limitedTo(4, registry))).toContain('text.');
      expect(await webhook(options, {}, {}, limitedTo(3, registry))).toMatch(/^HTTP\/1\.1 413 /);
      expect(await webhook(options, {}, { body: `${mib}x` }, limitedTo(2 * mib.length, registry))).toContain('xx.');
    }
    expect(await webhook({}, {}, { body: `${mib}x` })).toContain('xx.');
    expect(await webhook({ connectionId: () => 'c2' }, {}, { body: mib })).toContain('c2 http://h/ xx');
    expect(await webhook({ connectionId: () => 'c2' }, {}, { body: `${mib}x` })).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('an invalid request is refused', async () => {
    expect(await webhook({}, {}, { method: 'TRACE' })).toMatch(/^HTTP\/1\.1 501 /);
    expect(await webhook({}, {}, { headers: { host: 'a/b' } })).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('a route that cannot serve is refused at once', () => {
    expect(() => expressWebhook({} as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(() => expressWebhook(registry, { connectionId: '' })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(() => expressWebhook(registry, { maxBodyBytes: 5 } as never)).toThrow(
      expect.objectContaining({ message: expect.stringContaining("the registry's webhook.maxBodyBytes decides") as string }),
    );
  });
});

describe('toNodeHandler', () => {
  const echo = async (request: Request) => new Response(`${request.url} ${await request.text()}.`);

  test('the options decide about address and proxy', async () => {
    expect(await answer(toNodeHandler(echo))).toContain('http://h/ text.');
    expect(await answer(toNodeHandler(echo, { trustProxy: true }))).toContain('https://h/ text.');
    expect(await answer(toNodeHandler(echo, { origin: 'https://public' }))).toContain('https://public/ text.');
    expect(await answer(toNodeHandler(echo), { method: 'TRACE' })).toMatch(/^HTTP\/1\.1 501 /);
  });

  test('the body is limited to 1 MiB, or to maxBodyBytes', async () => {
    const handle = vi.fn(echo);
    const mib = 'x'.repeat(1024 * 1024);
    expect(await answer(toNodeHandler(handle), { body: mib })).toMatch(/^HTTP\/1\.1 200 /);
    expect(await answer(toNodeHandler(handle), { body: `${mib}x` })).toMatch(/^HTTP\/1\.1 413 [^]*BODY_TOO_LARGE/);
    expect(await answer(toNodeHandler(handle, { maxBodyBytes: 3 }))).toMatch(/^HTTP\/1\.1 413 /);
    expect(handle).toHaveBeenCalledTimes(1);
    expect(await answer(toNodeHandler(handle, { maxBodyBytes: Infinity }), { body: `${mib}x` })).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('a body that turns out too large is answered 413 at once, and the response of the handler is cancelled', async () => {
    const cancel = vi.fn();
    const onError = vi.fn();
    for (const handle of [
      async (request: Request) => { await request.text().catch(() => {}); return new Response(new ReadableStream({ cancel })); },
      async (request: Request) => new Response(await request.text()),
      async (request: Request) => { await request.text().catch(() => {}); return new Response(null, { status: 204 }); },
    ]) {
      const sent = await answer(toNodeHandler(handle, { maxBodyBytes: 3, onError }), {
        headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' },
      });
      expect(sent).toMatch(/^HTTP\/1\.1 413 [^]*BODY_TOO_LARGE/);
      expect(sent.match(/HTTP\/1\.1/g)).toHaveLength(1);
    }
    expect(cancel).toHaveBeenCalledTimes(1);
    expect(onError).not.toHaveBeenCalled();
  });

  test('a consumed body is reported to its developer, one that is too large is not', async () => {
    const onError = vi.fn();
    expect(await answer(toNodeHandler(echo, { onError, maxBodyBytes: 3 }))).toMatch(/^HTTP\/1\.1 413 /);
    expect(onError).not.toHaveBeenCalled();
    expect(
      await answer((req, res) => {
        req.read();
        return toNodeHandler(echo, { onError })(req, res);
      }),
    ).toMatch(/^HTTP\/1\.1 500 [^]*BODY_ALREADY_PARSED/);
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({
        code: 'BODY_ALREADY_PARSED',
        message: expect.stringMatching(/^The body was parsed before .* before the body parser/) as string,
      }),
    );
  });

  test.each<{ how: string; handle: () => unknown }>([
    {
      how: 'throws',
      handle: () => {
        throw new Error('x');
      },
    },
    { how: 'rejects', handle: () => Promise.reject(new Error('x')) },
    { how: 'returns no response', handle: () => 'x' },
  ])('a handler that $how is answered 500, and reported unless its client has left', async ({ handle }) => {
    const onError = vi.fn();
    expect(await answer(toNodeHandler(handle as never, { onError }))).toMatch(/^HTTP\/1\.1 500 [^]*HANDLER_FAILED/);
    expect(onError).toHaveBeenCalledTimes(1);
    const left = await answer((req, res) =>
      toNodeHandler(
        (() => {
          res.destroy();
          return settle().then(handle);
        }) as never,
        { onError },
      )(req, res),
    );
    expect(left).toBe('');
    expect(onError).toHaveBeenCalledTimes(1);
  });

  test('errors go to console.error by default', async () => {
    const consoleError = vi.spyOn(console, 'error').mockImplementation(() => {});
    const error = new Error('x');
    await answer(toNodeHandler(() => { throw error; }));
    expect(consoleError).toHaveBeenCalledExactlyOnceWith('hydrant: a request could not be served:', error);
    consoleError.mockRestore();
  });
});
