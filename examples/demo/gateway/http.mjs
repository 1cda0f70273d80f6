/**
 * The HTTP side of a replica, in each framework. It is the same for every way of keeping connections. The ways differ only
 * in `handleWebhook`.
 *
 * @typedef {{ port: number, close: () => Promise<void> }} Listening
 * @typedef {import('./main.mjs').Gateway} Gateway
 */

/** @type {Record<string, (gateway: Gateway) => Promise<Listening>>} */
const frameworks = {
  async express(gateway) {
    const { default: express } = await import('express');
    const { expressWebhook } = await import('hydrant/express');
    const app = express();
    app.use(express.json()); // as most applications do; it leaves a form alone
    app.post('/webhooks/:connectionId', expressWebhook(gateway));
    return listening(app.listen(0, '127.0.0.1'));
  },

  async fastify(gateway) {
    const { default: fastify } = await import('fastify');
    const { fastifyWebhook } = await import('hydrant/fastify');
    const app = fastify();
    await app.register(fastifyWebhook, { registry: gateway, prefix: '/webhooks', path: '/:connectionId' });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { ...await listening(app.server), close: () => app.close() };
  },

  async hono(gateway) {
    const { serve } = await import('@hono/node-server');
    const { Hono } = await import('hono');
    const app = new Hono();
    app.post('/webhooks/:connectionId', (c) => gateway.handleWebhook(c.req.param('connectionId'), c.req.raw));
    return listening(/** @type {import('node:http').Server} */ (serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })));
  },
};

/**
 * @param {string} framework
 * @param {Gateway} gateway
 */
export function listen(framework, gateway) {
  const start = frameworks[framework];
  if (start === undefined) throw new Error(`unknown framework '${framework}'`);
  return start(gateway);
}

/**
 * @param {import('node:http').Server} server
 * @returns {Promise<Listening>}
 */
async function listening(server) {
  if (!server.listening) await new Promise((resolve) => { server.once('listening', resolve); });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    port: address.port,
    close: () => new Promise((resolve) => { server.close(() => resolve()); }),
  };
}
