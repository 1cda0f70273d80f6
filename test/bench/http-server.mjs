/**
 * One gateway in one process: `node http-server.mjs <express|fastify|hono> <hydrant|fetch|native>`. Tells its port to its
 * parent, and on any message how much processor time it has used.
 *
 * `native` and `fetch` are routes with a bare Map. In `native` the handler gets what the framework has; in `fetch` it is
 * the very handler that hydrant calls, which takes a Request and gives a Response: what a gateway with the Chat SDK, or
 * with any other handler that is not written for one framework, would have by hand.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , framework, way] = process.argv;
const SECRET = 'a secret of thirty-two characters';
const STORE_MS = 2;
const CREATE_MS = 3;

const built = new URL('./', process.env.HYDRANT_ENTRY ?? new URL('../../dist/index.js', import.meta.url));
const dist = (entry) => import(new URL(`${entry}.js`, built).href);
const { ConnectionRegistry } = await dist('index');

const isGenuine = (body, signature = '') => {
  const expected = createHmac('sha256', SECRET).update(body).digest('hex');
  return signature.length === expected.length && timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
};
const read = async (id) => { await sleep(STORE_MS); return { id, version: '1', status: 'active', secret: SECRET }; };
const create = async () => { await sleep(CREATE_MS); return { handled: 0 }; };
const answer = (instance, body) => { instance.handled += body.length; return 'ok'; };
const handleWebhook = async (instance, request) => new Response(answer(instance, await request.text()));

const registry = new ConnectionRegistry({
  store: { get: read },
  freshness: { maxStaleMs: 3_600_000 },
  maxInstances: 100_000,
  factory: {
    create,
    authenticate: async (request) => isGenuine(await request.text(), request.headers.get('x-signature')),
    handleWebhook,
  },
});

/** The same row, the same instance, the same two functions; a promise per id, so that two cold requests share one start. */
const instances = new Map();
function instanceOf(id) {
  let instance = instances.get(id);
  if (instance === undefined) {
    instance = read(id).then(create);
    instances.set(id, instance);
  }
  return instance;
}

/** A Request as the handler wants it, of a body that was read already. */
const requestOf = (url, { headers }, body) => new Request(url, { method: 'POST', headers, body });

const SERVERS = {
  async express() {
    const { default: express } = await import('express');
    const app = express();
    const path = '/webhooks/:connectionId';
    if (way === 'hydrant') {
      const { expressWebhook } = await dist('express');
      app.post(path, expressWebhook(registry));
      return createServer(app);
    }
    app.post(path, express.raw({ type: '*/*' }), (req, res, next) => {
      serve(req, res).catch(next);
    });
    async function serve(req, res) {
      const instance = await instanceOf(req.params.connectionId);
      if (!isGenuine(req.body, req.headers['x-signature'])) res.status(401).end();
      else if (way === 'native') res.send(answer(instance, req.body.toString()));
      else {
        const response = await handleWebhook(
          instance,
          requestOf(`${req.protocol}://${req.host}${req.originalUrl}`, req, req.body),
        );
        res.status(response.status).setHeaders(response.headers).end(Buffer.from(await response.arrayBuffer()));
      }
    }
    return createServer(app);
  },
  async fastify() {
    const { default: fastify } = await import('fastify');
    const app = fastify();
    if (way === 'hydrant') {
      const { fastifyWebhook } = await dist('fastify');
      app.register(fastifyWebhook, { registry, prefix: '/webhooks', path: '/:connectionId' });
    } else {
      app.removeAllContentTypeParsers();
      app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      app.post('/webhooks/:connectionId', async (request, reply) => {
        const instance = await instanceOf(request.params.connectionId);
        if (!isGenuine(request.body, request.headers['x-signature'])) return reply.code(401).send();
        if (way === 'native') return answer(instance, request.body.toString());
        const response = await handleWebhook(
          instance,
          requestOf(`${request.protocol}://${request.host}${request.url}`, request, request.body),
        );
        return reply
          .code(response.status)
          .headers(Object.fromEntries(response.headers))
          .send(Buffer.from(await response.arrayBuffer()));
      });
    }
    await app.ready();
    return app.server;
  },
  async hono() {
    const { Hono } = await import('hono');
    const { getRequestListener } = await import('@hono/node-server');
    const app = new Hono();
    if (way === 'hydrant') {
      app.post('/webhooks/:id', (c) => registry.handleWebhook(c.req.param('id'), c.req.raw));
    } else {
      app.post('/webhooks/:id', async (c) => {
        const instance = await instanceOf(c.req.param('id'));
        const body = Buffer.from(await c.req.arrayBuffer());
        if (!isGenuine(body, c.req.header('x-signature'))) return c.body(null, 401);
        return way === 'native'
          ? c.text(answer(instance, body.toString()))
          : handleWebhook(instance, requestOf(c.req.url, c.req.raw, body));
      });
    }
    return createServer(getRequestListener(app.fetch));
  },
};

const server = await SERVERS[framework]();
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('message', () => process.send(process.cpuUsage()));
process.once('disconnect', () => process.exit(0));
