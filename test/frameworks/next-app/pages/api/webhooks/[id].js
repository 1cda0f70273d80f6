import { toNodeHandler } from 'hydrant/node';
import { registry } from '../../../lib/gateway.mjs';

export const config = { api: { bodyParser: false } };
export default function handler(req, res) {
  toNodeHandler((request) => registry.handleWebhook(req.query.id, request))(req, res);
}
