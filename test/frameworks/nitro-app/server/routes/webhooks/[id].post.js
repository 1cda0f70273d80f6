import { registry } from '../../lib/gateway.js';

export default defineEventHandler((event) =>
  registry.handleWebhook(getRouterParam(event, 'id'), toWebRequest(event), { waitUntil: (work) => event.waitUntil(work) }));
