import { registry } from '$lib/gateway.js';

export const POST = ({ params, request }) => registry.handleWebhook(params.id, request);
