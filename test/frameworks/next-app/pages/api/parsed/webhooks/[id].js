import { toNodeHandler } from 'hydrant/node';
import { registry } from '../../../../lib/gateway.mjs';

/** Without the recipe's `config`, so Next parses the body first. */
export default function handler(req, res) {
  toNodeHandler((request) => registry.handleWebhook(req.query.id, request))(req, res);
}
