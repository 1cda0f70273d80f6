import { describe, expect, test, vi, beforeEach, afterEach } from 'vitest';
import { send } from './support/clients.js';
import { FRAMEWORKS, PARSERS, type Parser } from './support/servers.js';
import { sign, signingRegistry } from './support/signing-registry.js';

/** Bytes that no parser gives back: spacing, key order, escapes, a number beyond doubles, UTF-8. */
const JSON_BODY = '{ "b":1.0, "a" : "\\u00e9 ü €",\n"n":12345678901234567890 }';
const FORM_BODY = 'team_id=T1&text=a+b%20c&text=%e2%82%ac&empty=&=';
const BODIES = {
  json: { body: JSON_BODY, type: 'application/json' },
  form: { body: FORM_BODY, type: 'application/x-www-form-urlencoded' },
  binary: { body: Uint8Array.from({ length: 256 }, (_, index) => index), type: 'application/octet-stream' },
};
type BodyName = keyof typeof BODIES;

/** Cases in which the bytes are lost, so the developer must be told. */
const LOST: Record<string, Partial<Record<Parser, readonly BodyName[]>>> = {
  'Express 5': { json: ['json'], urlencoded: ['form'], text: ['binary'] },
  'Express 4': { json: ['json'], urlencoded: ['form'], text: ['binary'] },
  'node:http': { json: ['json'], urlencoded: ['form'], text: ['binary'] },
  'Fastify 5': {},
  // Hono's own request is used: middleware that read it has read it, unless cloneRawRequest is called.
  Hono: {
    json: ['json', 'form', 'binary'], urlencoded: ['json', 'form', 'binary'],
    text: ['json', 'form', 'binary'], raw: ['json', 'form', 'binary'],
  },
};

/** Hono's middleware for `rawBody` parses JSON, so other bodies fail. */
function bodiesFor(framework: string, parser: Parser): BodyName[] {
  return framework === 'Hono' && parser === 'json+rawBody' ? ['json'] : Object.keys(BODIES) as BodyName[];
}

beforeEach(() => { vi.spyOn(console, 'error').mockImplementation(() => undefined); });
afterEach(() => { vi.restoreAllMocks(); });

describe.each(Object.keys(FRAMEWORKS))('%s: a signature over the bytes', (framework) => {
  describe.each(PARSERS)('behind: %s', (parser) => {
    test.each(bodiesFor(framework, parser))('%s body', async (name) => {
      const registry = signingRegistry();
      const { port } = await FRAMEWORKS[framework]!(registry, parser);
      const { body, type } = BODIES[name];
      for (const chunked of [false, true]) {
        const nothingShowsThatItWasDecoded = chunked && parser === 'text' && name === 'binary';
        if (nothingShowsThatItWasDecoded) continue;
        const answer = await send(port, '/webhooks/c1?a=1', { body, chunked, headers: { 'content-type': type, ...sign(body) } });
        if (LOST[framework]?.[parser]?.includes(name) === true) {
          expect(answer.status).toBe(500);
          expect(answer.json.code).toBe('BODY_ALREADY_PARSED');
        } else {
          expect(answer.status).toBe(200);
          expect(registry.deliveries.at(-1)?.body.equals(Buffer.from(body))).toBe(true);
        }
      }
      const forged = await send(port, '/webhooks/c1', { body, headers: { 'content-type': type, 'x-signature': 'no' } });
      expect([401, 500]).toContain(forged.status);
    });

    test('no body at all', async () => {
      const registry = signingRegistry();
      const { port } = await FRAMEWORKS[framework]!(
        registry,
        parser === 'json+rawBody' && framework === 'Hono' ? 'no parser' : parser,
      );
      const wasRead = framework === 'Hono' && LOST[framework]?.[parser] !== undefined;
      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
        const answer = await send(port, '/webhooks/c1', { method, headers: sign('') });
        expect({ method, status: answer.status }).toEqual({ method, status: wasRead && answer.status === 500 ? 500 : 200 });
      }
    });
  });
});

test('node:http: BODY_ALREADY_PARSED names the fix', async () => {
  const { port } = await FRAMEWORKS['node:http']!(signingRegistry(), 'json');
  const answer = await send(port, '/webhooks/c1', { body: '{}', headers: { 'content-type': 'application/json', ...sign('{}') } });
  expect(answer).toMatchObject({ status: 500, json: { code: 'BODY_ALREADY_PARSED' } });
  expect(answer.json.detail).toMatch(/mount the webhook route before body parsers, or keep the raw bytes in req\.rawBody/);
});
