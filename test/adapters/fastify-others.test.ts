import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { fastifyWebhook } from 'hydrant/fastify';
import { describe, expect, test, vi } from 'vitest';
import { rest } from './support/messages.js';

/* Hooks of a Fastify application may answer while a webhook is being served, or spoil its response. */

const errors = vi.fn();

/** An application with one route. `lines` are what Fastify itself has to say. */
function serving(respond: () => Response, prepare: (app: FastifyInstance) => void = () => {}) {
  const lines: string[] = [];
  const app = fastify({ logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line); } } } });
  let reply: FastifyReply | undefined;
  app.addHook('preHandler', async (_request, given) => { reply = given; });
  prepare(app);
  errors.mockClear();
  app.register(fastifyWebhook, { registry: { handleWebhook: async () => respond() }, path: '/:connectionId', onError: errors });
  return { app, lines, timeOut: () => void reply?.code(503).header('x-is', 'theirs').send('timed out') };
}

const theirs = expect.objectContaining({ statusCode: 503, body: 'timed out' }) as unknown;

describe('an answer that a hook sends', () => {
  test.each<{ when: string; method: 'POST' | 'HEAD'; respond: (timeOut: () => void, cancel: () => void) => Response }>([
    {
      when: 'while the first part of a body is read',
      method: 'POST',
      respond: (timeOut, cancel) => new Response(new ReadableStream({ pull: timeOut, cancel }, { highWaterMark: 0 })),
    },
    {
      when: 'before the answer to a HEAD',
      method: 'HEAD',
      respond: (timeOut, cancel) => {
        timeOut();
        return new Response(new ReadableStream({ cancel }));
      },
    },
  ])('$when is kept, and the body is cancelled without a warning', async ({ method, respond }) => {
    const cancel = vi.fn();
    const { app, lines, timeOut } = serving(() => respond(() => timeOut(), cancel));
    const { statusCode, headers } = await app.inject({ method, url: '/c1' });
    await rest();
    expect({ statusCode, is: headers['x-is'], lines }).toEqual({ statusCode: 503, is: 'theirs', lines: [] });
    if (method === 'HEAD') expect(cancel).toHaveBeenCalledTimes(1);
    else {
      expect(cancel).toHaveBeenCalledExactlyOnceWith(
        expect.objectContaining({ name: 'AbortError', message: 'Another response was sent.' }),
      );
    }
    expect(errors).not.toHaveBeenCalled();
  });

  test('instead of a body that is complete is kept', async () => {
    const { app, lines, timeOut } = serving(() => {
      timeOut();
      return new Response('ours');
    });
    expect(await app.inject({ method: 'POST', url: '/c1' })).toEqual(theirs);
    expect(lines).toEqual([]);
  });

  test('instead of a stream cancels the stream, and says why', async () => {
    const cancel = vi.fn();
    const endless = () => new Response(new ReadableStream({ cancel }, { highWaterMark: 0 }));
    const { app } = serving(endless, (host) => { host.addHook('onSend', async () => 'replaced'); });
    expect((await app.inject({ method: 'POST', url: '/c1' })).body).toBe('replaced');
    await rest();
    expect(cancel).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ name: 'AbortError', message: 'Another response was sent.' }),
    );
  });
});

describe('a hook that sets what Node refuses to send', () => {
  const spoil = (host: FastifyInstance): void => {
    host.addHook('onSend', async (_request, reply) => { reply.header('x-host', 'a\nb'); });
  };

  test.each<{ what: string; respond: () => Response; reports: number }>([
    { what: 'a response', respond: () => new Response('ours'), reports: 1 },
    { what: 'the answer to a failure', respond: () => undefined as never, reports: 2 },
    {
      what: 'the answer to a body that fails',
      respond: () => new Response(new ReadableStream({ pull: () => Promise.reject(new Error('secret')) })),
      reports: 2,
    },
  ])('on $what is answered 500 once, and reported', async ({ respond, reports }) => {
    const { app } = serving(respond, spoil);
    const answer = await app.inject({ method: 'POST', url: '/c1' });
    expect({ status: answer.statusCode, code: answer.json().code }).toEqual({ status: 500, code: 'HANDLER_FAILED' });
    expect(answer.headers).not.toHaveProperty('x-host');
    expect(errors).toHaveBeenCalledTimes(reports);
  });
});

test('a request that fetch cannot express is refused', async () => {
  const { app } = serving(() => new Response('ours'));
  const answer = await app.inject({ method: 'POST', url: '/c1', headers: { host: 'a/b' } });
  expect({ status: answer.statusCode, title: answer.json().title }).toEqual({ status: 400, title: 'Bad Request' });
});

test('an empty body is sent with its length', async () => {
  const { app } = serving(() => new Response(new Uint8Array()));
  const { headers, body } = await app.inject({ method: 'POST', url: '/c1' });
  expect({ length: headers['content-length'], chunks: headers['transfer-encoding'], body }).toEqual({
    length: '0', chunks: undefined, body: '',
  });
});
