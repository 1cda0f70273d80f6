/** One gateway in one process: `node http-server.mjs <express|fastify|hono> <hydrant|map>`. Tells its port to its parent. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , framework, way] = process.argv;
const SECRET = 'a secret of thirty-two characters';
const STORE_MS = 2;
const CREATE_MS = 3;

const dist = (entry) => import(new URL(`../../dist/${entry}.js`, import.meta.url).href);
const { ConnectionRegistry } = await dist('index');

const isGenuine = (body, signature = '') => {
  const expected = createHmac('sha256', SECRET).update(body).digest('hex');
  return signature.length === expected.length && timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
};
const read = async (id) => { await sleep(STORE_MS); return { id, version: '1', status: 'active', secret: SECRET }; };
const create = async () => { await sleep(CREATE_MS); return { handled: 0 }; };
const answer = (instance, body) => { instance.handled += body.length; return 'ok'; };

const registry = new ConnectionRegistry({
  store: { get: read },
  freshness: { maxStaleMs: 3_600_000 },
  maxInstances: 100_000,
  factory: {
    create,
    authenticate: async (request) => isGenuine(await request.text(), request.headers.get('x-signature')),
    handleWebhook: async (instance, request) => new Response(answer(instance, await request.text())),
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

const SERVERS = {
  async express() {
    const { default: express } = await import('express');
    const app = express();
    if (way === 'hydrant') {
      const { expressWebhook } = await dist('express');
      app.post('/webhooks/:connectionId', expressWebhook(registry));
    } else {
      app.post('/webhooks/:connectionId', express.raw({ type: '*/*' }), (req, res, next) => {
        instanceOf(req.params.connectionId).then((instance) => {
          if (isGenuine(req.body, req.headers['x-signature'])) res.send(answer(instance, req.body.toString()));
          else res.status(401).end();
        }).catch(next);
      });
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
        if (isGenuine(request.body, request.headers['x-signature'])) return answer(instance, request.body.toString());
        return reply.code(401).send();
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
        const body = await c.req.text();
        return isGenuine(body, c.req.header('x-signature')) ? c.text(answer(instance, body)) : c.body(null, 401);
      });
    }
    return createServer(getRequestListener(app.fetch));
  },
};

const server = await SERVERS[framework]();
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.once('disconnect', () => process.exit(0));
