import { Hono } from 'hono';
import { ConnectionRegistry } from 'hydrant';
import { githubFactory } from './factory.mjs';

/**
 * @param {{
 *   store: import('hydrant').ConnectionStore<import('./factory.mjs').GitHubRow>,
 *   inbox: Map<string, import('./factory.mjs').Kept>,
 *   apiUrl?: string,
 * } & import('hydrant').RegistryTuning} options `inbox` stands for a table, by GitHub's delivery id
 */
export function createGateway({ store, inbox, apiUrl, ...tuning }) {
  const registry = new ConnectionRegistry({
    store,
    factory: githubFactory({
      apiUrl,
      async keep(delivery) { inbox.set(new Headers(delivery.headers).get('x-github-delivery') ?? '', delivery); },
    }),
    ...tuning,
  });

  const app = new Hono();
  app.post('/github/:id', (c) => registry.handleWebhook(c.req.param('id'), c.req.raw));

  /** Serves the kept deliveries. Each is authenticated again, and kept again if it fails. */
  async function replay() {
    for (const [key, delivery] of inbox) {
      const { id, url, headers, body } = delivery;
      const response = await registry.handleWebhook(id, new Request(url, { method: 'POST', headers, body }));
      const wasKeptAgain = inbox.get(key) !== delivery;
      if (response.ok && !wasKeptAgain) inbox.delete(key);
    }
  }
  return { app, registry, replay };
}
