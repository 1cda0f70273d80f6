import { connect, createServer, type ClientHttp2Session, type Http2Server, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net';
import fastify from 'fastify';
import { fastifyWebhook } from 'hydrant/fastify';
import { toNodeHandler } from 'hydrant/node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answering } from '../adapters/support/servers.js';
import { randomFrom } from '../properties/simulation/random.js';
import { campaignOf, collectUnhandled, useOddHandler } from './campaign.js';

const { count: COUNT, seed: SEED } = campaignOf(200);

type Registry = ReturnType<typeof answering>;

const SERVERS: Record<string, (registry: Registry) => Promise<number>> = {
  'node:http2': (registry) => listen(createServer(toNodeHandler(
    (request) => registry.handleWebhook(new URL(request.url).pathname.split('/')[2] ?? '', request),
    { onError: () => undefined },
  ))),
  async 'Fastify 5'(registry) {
    const app = fastify({ http2: true });
    app.register(fastifyWebhook, { registry, prefix: '/webhooks', path: '/:connectionId', onError: () => undefined });
    await app.ready();
    return listen(app.server);
  },
};

async function listen(server: Http2Server): Promise<number> {
  server.on('connection', (socket: Socket) => { socket.setNoDelay(true); });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

interface Carried {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Not 0 if the stream was reset. */
  readonly code: number;
}

/** Resolves when the stream is closed, with or without an error. */
function ask(session: ClientHttp2Session, method: string, id: string): Promise<Carried> {
  return new Promise((resolve) => {
    const stream = session.request({ ':method': method, ':path': `/webhooks/${id}` });
    let headers: IncomingHttpHeaders & { ':status'?: number | undefined } = {};
    let body = '';
    stream.setEncoding('latin1');
    stream.on('response', (received) => { headers = received; });
    stream.on('data', (text: string) => { body += text; });
    stream.on('error', () => undefined);
    stream.on('close', () => resolve({ status: headers[':status'], headers, body, code: stream.rstCode ?? 0 }));
    stream.end(method === 'POST' ? '{}' : undefined);
  });
}

const oddHandler = useOddHandler();

describe.each(Object.keys(SERVERS))('%s', (server) => {
  test(
    'no odd Response reaches another stream, ends the session or the process, or leaves the client waiting',
    { timeout: 120_000 },
    async () => {
      const random = randomFrom(SEED);
      const unhandled = collectUnhandled();
      const port = await SERVERS[server]!(answering(oddHandler(random)));
      const session = connect('http://127.0.0.1', {
        createConnection: () => connectTcp({ host: '127.0.0.1', port, noDelay: true }),
      });
      const sessionErrors: unknown[] = [];
      session.on('error', (error) => { sessionErrors.push(error); });

      let served = 0;
      for (let index = 0; index < COUNT; index += 1) {
        const what = `seed ${SEED}, response ${index}`;
        const method = random.pick(['GET', 'GET', 'POST', 'HEAD']);
        const [odd, witness] = await Promise.all([ask(session, method, `odd-${index}`), ask(session, 'GET', `witness-${index}`)]);
        expect({ status: witness.status, body: witness.body, code: witness.code }, what)
          .toEqual({ status: 200, body: `(witness-${index})`, code: 0 });
        expect(session.closed || session.destroyed, what).toBe(false);
        const all = JSON.stringify(odd.headers) + odd.body;
        expect(all, what).not.toMatch(/witness|x-split| at .*\.(?:ts|js):\d+/);
        for (const [, other] of all.matchAll(/odd-(\d+)/g)) expect(other, what).toBe(String(index));
        const wasReset = odd.code !== 0;
        if (odd.status === undefined) expect(wasReset, what).toBe(true);
        const { 'content-length': length } = odd.headers;
        if (!wasReset && length !== undefined && method !== 'HEAD' && odd.status !== 304)
          expect(odd.body.length, what).toBe(Number(length));
        if (method === 'HEAD') expect(odd.body, what).toBe('');
        if (odd.status !== undefined) served += 1;
      }
      session.close();
      await new Promise((resolve) => { setImmediate(resolve); });
      expect({ unhandled, sessionErrors }).toEqual({ unhandled: [], sessionErrors: [] });
      expect(served).toBeGreaterThan(COUNT * 0.8);
    },
  );
});
