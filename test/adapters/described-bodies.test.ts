import { gzipSync } from 'node:zlib';
import express from 'express';
import { expressWebhook } from 'hydrant/express';
import { describe, expect, test } from 'vitest';
import { send } from './support/clients.js';
import { ADAPTERS, answering, FRAMEWORKS, listen } from './support/servers.js';

/* The headers of a Request describe the bytes that it holds, so that a handler may send both on. */

const described = async (request: Request): Promise<Response> => Response.json({
  coding: request.headers.get('content-encoding'), length: request.headers.get('content-length'), text: await request.text(),
});
const BODY = '{"a":1}';
const gzipped = { body: gzipSync(BODY), headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } };

describe.each(['Express 5', 'Express 4', 'node:http'])('%s: a gzipped body that a parser has inflated', (framework) => {
  describe.each(['raw', 'json+rawBody'] as const)('behind: %s', (parser) => {
    test.each([false, true])('has neither the coding nor the length of the compressed bytes; chunked: %s', async (chunked) => {
      const { port } = await FRAMEWORKS[framework]!(answering(described), parser);
      const { json } = await send(port, '/webhooks/c1', { ...gzipped, chunked });
      expect(json).toEqual({ coding: null, length: null, text: BODY });
    });
  });
});

test.each([false, true])('a connectionId function sees an inflated body described as it is; chunked: %s', async (chunked) => {
  const seen: unknown[] = [];
  const connectionId = async (request: Request): Promise<string> => {
    seen.push(await (await described(request)).json());
    return 'c1';
  };
  const { port } = await listen(express()
    .use(express.raw({ type: '*/*' })).post('/hooks', expressWebhook(answering(described), { connectionId })));
  const { json } = await send(port, '/hooks', { ...gzipped, chunked });
  expect([...seen, json]).toEqual(Array.from({ length: 2 }, () => ({ coding: null, length: null, text: BODY })));
});

describe.each(Object.keys(ADAPTERS))('%s', (adapter) => {
  test('a compressed body that nobody inflated keeps its coding and its length', async () => {
    const { port } = await ADAPTERS[adapter]!(answering(described));
    const { json } = await send(port, '/webhooks/c1', gzipped);
    expect(json).toMatchObject({ coding: 'gzip', length: String(gzipped.body.byteLength) });
  });

  test('the body of a GET is not read, and not described', async () => {
    const { port } = await ADAPTERS[adapter]!(answering(described));
    const { json } = await send(port, '/webhooks/c1', { ...gzipped, method: 'GET' });
    expect(json).toEqual({ coding: null, length: null, text: '' });
  });
});
