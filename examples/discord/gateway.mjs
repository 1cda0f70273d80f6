import { ConnectionRegistry } from 'hydrant';
import { toNodeHandler } from 'hydrant/node';
import { discordFactory } from './factory.mjs';

/**
 * No framework: a handler for `http.createServer`.
 *
 * @param {import('./factory.mjs').Surroundings & {
 *   store: import('hydrant').ConnectionStore<import('./factory.mjs').DiscordRow>,
 * } & import('hydrant').RegistryTuning} options
 */
export function createGateway({ store, prepare, apiUrl, ...tuning }) {
  const registry = new ConnectionRegistry({ store, factory: discordFactory({ prepare, apiUrl }), ...tuning });
  const listener = toNodeHandler((request) => {
    const [, platform, id = ''] = new URL(request.url).pathname.split('/');
    return platform === 'discord' ? registry.handleWebhook(id, request) : new Response(null, { status: 404 });
  });
  return { listener, registry };
}
