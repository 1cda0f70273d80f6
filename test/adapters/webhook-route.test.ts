import { ConnectionError } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { describe, expect, test, vi } from 'vitest';
import type { NodeBody } from '../../src/adapters/node-body.js';
import { NodeRequestHead } from '../../src/adapters/node-request.js';
import { DIRECT, type DirectDelivery } from '../../src/messages/direct.js';
import type { UnreadBody } from '../../src/messages/requests.js';
import { answerWebhook, checkRoute, type ConnectionIdSource, type WebhookCall } from '../../src/adapters/webhook-route.js';

const body = (text: string): NodeBody => ({ kind: 'bytes', bytes: Buffer.from(text) });
const echo = async (id: string, request: Request) => Response.json({ id, text: await request.text() });

function answer(connectionId: ConnectionIdSource, options: Partial<WebhookCall> = {}) {
  const head = new NodeRequestHead('http://h/x', 'POST', new Headers({ 'content-type': 'application/x-www-form-urlencoded' }));
  const onError = vi.fn();
  const answered = answerWebhook({
    registry: { handleWebhook: echo },
    connectionId,
    params: { connectionId: 'c1', team: 'T1' },
    head,
    body: body('a=1'),
    onError,
    ...options,
  });
  return {
    head,
    onError,
    json: async () => (await answered).response.json() as Promise<unknown>,
    status: async () => (await answered).response.status,
  };
}

const failed = (code: string, status = 500, title = 'Internal Server Error') => ({ type: 'about:blank', title, status, code });

describe('a webhook whose id is a parameter of its route', () => {
  test('reaches the registry with its body', async () => {
    const { json, onError } = answer('team');
    expect(await json()).toEqual({ id: 'T1', text: 'a=1' });
    expect(onError).not.toHaveBeenCalled();
  });

  test.each<{ params: Record<string, string>; got: string }>([
    { params: {}, got: 'no parameters' },
    { params: { a: '1' }, got: "':a'" },
    { params: { a: '1', b: '2' }, got: "':a', ':b'" },
  ])('on a route with $params is reported to its developer', async ({ params, got }) => {
    const { json, onError } = answer('team', { params });
    expect(await json()).toEqual(failed('INVALID_OPTIONS'));
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({
        code: 'INVALID_OPTIONS',
        message: "connectionId: expected a route with the parameter ':team', or the option { connectionId: '<parameter>' }, "
          + `got a route with ${got}`,
      }),
    );
  });

  test('may have an empty id, which the registry refuses', async () => {
    expect(await answer('team', { params: { team: '' } }).json()).toEqual({ id: '', text: 'a=1' });
  });

  test.each<{ how: string; handleWebhook: () => unknown }>([
    {
      how: 'throws',
      handleWebhook: () => {
        throw new Error('x');
      },
    },
    { how: 'rejects', handleWebhook: () => Promise.reject(new Error('x')) },
    { how: 'returns nothing', handleWebhook: () => undefined },
  ])('that meets a registry that $how is answered 500, and reported unless its client has left', async ({ handleWebhook }) => {
    const { json, onError } = answer('team', { registry: { handleWebhook: handleWebhook as never } });
    expect(await json()).toEqual(failed('HANDLER_FAILED'));
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.any(Error));
    const head = new NodeRequestHead('http://h/x', 'POST', new Headers());
    const left = answer('team', {
      head,
      registry: {
        handleWebhook: async () => {
          head.leave();
          return handleWebhook() as never;
        },
      },
    });
    expect(await left.json()).toEqual(failed('HANDLER_FAILED'));
    expect(left.onError).not.toHaveBeenCalled();
  });
});

describe('a webhook whose id is found by a function', () => {
  test('that may read the body, and gets the parameters', async () => {
    const { json } = answer(async (request, { team }) => `${String((await request.formData()).get('a'))}-${team}`);
    expect(await json()).toEqual({ id: '1-T1', text: 'a=1' });
  });

  test('that changes its bytes does not change those of the registry', async () => {
    const { json } = answer(async (request) => {
      new Uint8Array(await request.arrayBuffer()).fill(0);
      return 'c1';
    });
    expect(await json()).toEqual({ id: 'c1', text: 'a=1' });
  });

  test('that gets no body if there is none', async () => {
    const { json } = answer((request) => String(request.body), { body: { kind: 'empty' } });
    expect(await json()).toEqual({ id: 'null', text: '' });
  });

  test.each([undefined, '', null, 7])('that returns %j is answered 404', async (id) => {
    const { json, onError } = answer(() => id as string);
    expect(await json()).toEqual(failed('CONNECTION_NOT_FOUND', 404, 'Not Found'));
    expect(onError).not.toHaveBeenCalled();
  });

  test('that cannot parse the body is answered 400, and not reported', async () => {
    const { json, onError } = answer((request) => request.json() as Promise<string>);
    expect(await json()).toEqual({ type: 'about:blank', title: 'Bad Request', status: 400 });
    expect(onError).not.toHaveBeenCalled();
  });

  test('that cannot parse a form is answered 400', async () => {
    const head = new NodeRequestHead('http://h/x', 'POST', new Headers({ 'content-type': 'multipart/form-data; boundary=x' }));
    const { status, onError } = answer(async (request) => String(await request.formData()), { head });
    expect(await status()).toBe(400);
    expect(onError).not.toHaveBeenCalled();
  });

  test.each<{ how: string; connectionId: (request: Request) => unknown }>([
    {
      how: 'throws',
      connectionId: () => {
        throw new Error('x');
      },
    },
    {
      how: 'throws nothing',
      connectionId: () => {
        throw undefined;
      },
    },
    {
      how: 'throws null',
      connectionId: () => {
        throw null;
      },
    },
    {
      how: 'throws text',
      connectionId: () => {
        throw 'x';
      },
    },
    { how: 'parses something else', connectionId: async () => JSON.parse('{') },
    {
      how: 'reads the body twice',
      connectionId: async (request) => {
        await request.text();
        return request.json();
      },
    },
    {
      how: 'finds nothing in what it parsed',
      connectionId: async (request) =>
        (Object.fromEntries(await request.formData()) as unknown as { team: { id: string } }).team.id,
    },
  ])('that $how is answered 500, and reported', async ({ connectionId }) => {
    const { json, onError } = answer(connectionId as never);
    expect(await json()).toEqual(failed('HANDLER_FAILED'));
    expect(onError).toHaveBeenCalledTimes(1);
  });

  /** A registry as an older version made it, which counts no requests. */
  function olderRegistry(clock: ManualClock) {
    const direct: DirectDelivery = {
      clock, timeoutMs: 5_000, deliver: async (id) => ({ response: Response.json({ id }) }),
    };
    return { handleWebhook: Object.assign(vi.fn(echo), { [DIRECT]: direct }) };
  }

  test('reaches a registry of an older version', async () => {
    const { json, onError } = answer(() => 'c1', { registry: olderRegistry(new ManualClock()) });
    expect(await json()).toEqual({ id: 'c1' });
    expect(onError).not.toHaveBeenCalled();
  });

  test('that never answers about a body that is known is answered 503 in time, and reported', async () => {
    const clock = new ManualClock();
    const { json, onError } = answer(() => new Promise<string>(() => {}), { registry: olderRegistry(clock) });
    await clock.advance(5_000);
    expect(await json()).toMatchObject({ status: 503, code: 'ACQUIRE_TIMEOUT' });
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ACQUIRE_TIMEOUT' }));
  });

  test('that waits for a body that never ends is answered 503 in time, and the body is read no further', async () => {
    const clock = new ManualClock();
    const stop = vi.fn();
    const read: UnreadBody['read'] = (_maxBytes, onStop) => {
      onStop(stop);
      return new Promise(() => {});
    };
    const { json } = answer((request) => request.text(), {
      registry: olderRegistry(clock), body: { kind: 'unread', body: { stream: () => new ReadableStream(), read } },
    });
    await clock.advance(5_000);
    expect(await json()).toMatchObject({ status: 503, code: 'ACQUIRE_TIMEOUT' });
    expect(stop).toHaveBeenCalledTimes(1);
  });

  test('that meets a registry that returns no response is answered 500', async () => {
    expect(await answer(() => 'c1', { registry: { handleWebhook: (async () => undefined) as never } }).status()).toBe(500);
  });

  test.each([
    { code: 'BODY_TOO_LARGE', status: 413, title: 'Content Too Large', told: 0 },
    { code: 'BODY_ALREADY_PARSED', status: 500, title: 'Internal Server Error', told: 1 },
  ] as const)('is not called for a body that is $code', async ({ code, status, title, told }) => {
    const connectionId = vi.fn(() => 'c1');
    const { json, onError } = answer(connectionId, { body: { kind: 'refused', error: new ConnectionError(code, 'why') } });
    expect(await json()).toMatchObject({ code, status, title });
    expect(connectionId).not.toHaveBeenCalled();
    expect(onError).toHaveBeenCalledTimes(told);
  });

  test('is not called for a body that breaks, which is answered 400', async () => {
    const connectionId = vi.fn(() => 'c1');
    const broken = new ReadableStream<Uint8Array>({ start: (controller) => controller.error(new Error('x')) });
    const { status, onError } = answer(connectionId, {
      body: { kind: 'unread', body: { stream: () => broken, read: () => Promise.reject(new Error('x')) } },
    });
    expect(await status()).toBe(400);
    expect(connectionId).not.toHaveBeenCalled();
    expect(onError).not.toHaveBeenCalled();
  });
});

test.each<{ registry: unknown; connectionId: unknown; message: string }>([
  { registry: undefined, connectionId: 'id', message: 'registry: expected an object with handleWebhook' },
  { registry: null, connectionId: 'id', message: 'registry: ' },
  { registry: {}, connectionId: 'id', message: 'registry: ' },
  { registry: { handleWebhook: 'x' }, connectionId: 'id', message: 'registry: ' },
  { registry: { handleWebhook: echo }, connectionId: '', message: 'connectionId: expected the name of a route parameter' },
  { registry: { handleWebhook: echo }, connectionId: 7, message: 'connectionId: ' },
  { registry: { handleWebhook: echo }, connectionId: undefined, message: 'connectionId: ' },
])('a route that cannot serve is refused: %#', ({ registry, connectionId, message }) => {
  expect(() => checkRoute(registry as never, connectionId as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringContaining(message) as string }),
  );
  expect(checkRoute({ handleWebhook: echo }, () => 'c1', { maxBodyBytes: undefined })).toBeUndefined();
});
