import { Hono } from 'hono';
import { ConnectionRegistry } from 'hydrant';
import { whatsappFactory } from './factory.mjs';

/**
 * @param {{
 *   store: import('hydrant').ConnectionStore<import('./factory.mjs').WhatsAppRow>,
 *   graphUrl?: string,
 * } & import('hydrant').RegistryTuning} options
 */
export function createGateway({ store, graphUrl, ...tuning }) {
  const registry = new ConnectionRegistry({ store, factory: whatsappFactory({ graphUrl }), ...tuning });
  const app = new Hono();
  // GET asks whether the URL is yours, POST delivers.
  app.on(['GET', 'POST'], '/whatsapp/:id', (c) => registry.handleWebhook(c.req.param('id'), c.req.raw));
  return { app, registry };
}
