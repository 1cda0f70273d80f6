import type { ServerResponse } from 'node:http';
import { expressWebhook, type ExpressRequest } from 'hydrant/express';
import { toNodeHandler } from 'hydrant/node';
import { describe, expect, test, vi } from 'vitest';
import { cut } from '../../src/adapters/framing.js';
import type { NodeRequest, NodeResponse } from '../../src/adapters/node-types.js';
import { requestOf, responseTo, rest } from './support/messages.js';
import { sending } from './support/sent-responses.js';

/* A host puts its own code around Node's request and response. That code may throw in the middle of a delivery. */

type Serve = (req: NodeRequest, res: ServerResponse, onError: (error: unknown) => void) => void;

const SERVES: Record<string, Serve> = {
  'node:http': (req, res, onError) => toNodeHandler(() => new Response('ours'), { onError })(req, res),
  Express: (req, res, onError) =>
    expressWebhook({ handleWebhook: async () => new Response('ours') }, { onError })(req as ExpressRequest, res, () => {
      throw new Error('next was called');
    }),
};

/** Vercel parses `body` when it is first read, and throws if it cannot. */
function parsingOnDemand(serve: Serve, before: (res: ServerResponse) => void = () => {}) {
  const req = requestOf({ body: '{', headers: { host: 'h' }, kept: { params: { connectionId: 'c1' } } });
  const { res, wire } = responseTo(req);
  const onError = vi.fn();
  Object.defineProperty(req, 'body', {
    get: () => {
      before(res);
      throw new Error('secret');
    },
  });
  serve(req, res, onError);
  return { res, wire, onError };
}

describe.each(Object.keys(SERVES))('%s: a host whose parser throws', (name) => {
  test('is answered 500 without the text of the error, and reported', async () => {
    const { wire, onError } = parsingOnDemand(SERVES[name]!);
    await rest();
    expect(wire.written).toMatch(/^HTTP\/1\.1 500 [^]*HANDLER_FAILED/);
    expect(wire.written).not.toContain('secret');
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'secret' }));
  });

  test('keeps the answer that the host has begun', async () => {
    const { res, wire, onError } = parsingOnDemand(SERVES[name]!, (begun) => { begun.write('theirs'); });
    await rest();
    res.end(' to the end');
    await rest();
    expect(wire.written).toMatch(/^HTTP\/1\.1 200 [^]*theirs[^]* to the end[^]*0\r\n\r\n$/);
    expect(onError).toHaveBeenCalledTimes(1);
  });
});

test('an Express app whose trust function throws is answered 500', async () => {
  const req = requestOf({
    headers: { host: 'h' },
    kept: {
      params: { connectionId: 'c1' },
      app: { get: () => () => { throw new Error('secret'); } },
    },
  });
  const { res, wire } = responseTo(req);
  const onError = vi.fn();
  SERVES['Express']!(req, res, onError);
  await rest();
  expect(wire.written).toMatch(/^HTTP\/1\.1 500 [^]*HANDLER_FAILED/);
  expect(onError).toHaveBeenCalledTimes(1);
});

describe('a response that the host lets nobody write', () => {
  const frozen = (res: ServerResponse): void => {
    res.setHeader = () => { throw new Error('frozen'); };
  };

  test('cuts the connection, so the client does not wait', async () => {
    const { res, wire, onError, sent } = sending(new Response('ours'), {}, frozen);
    await sent;
    expect({ written: wire.written, destroyed: res.destroyed }).toEqual({ written: '', destroyed: true });
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'frozen' }));
  });

  test('cuts the socket if the response cannot be destroyed', () => {
    const req = requestOf();
    const res = { destroy: () => { throw new Error('x'); } } as unknown as NodeResponse;
    expect(cut(req, res)).toBeUndefined();
    expect(req.socket.destroyed).toBe(true);
  });
});
