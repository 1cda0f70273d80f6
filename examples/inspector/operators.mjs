import { createHash, timingSafeEqual } from 'node:crypto';
import { createInspector } from 'hydrant/inspector';
import { toNodeHandler } from 'hydrant/node';

/**
 * The operator's page behind a password: a listener for `http.createServer`. Serve it over TLS, on a port or a path
 * that only operators reach.
 *
 * @param {{ registry: import('hydrant/inspector').InspectedRegistry, password: string }} options
 */
export function createOperators({ registry, password }) {
  const inspector = createInspector(registry, {
    title: 'Bots',
    authorize: (request) => isOperator(request, password) || new Response('Who is there?', {
      status: 401, headers: { 'www-authenticate': 'Basic realm="operators", charset="UTF-8"' },
    }),
  });
  return { listener: toNodeHandler(inspector), stop: inspector.stop };
}

/** @param {Request} request @param {string} password */
function isOperator(request, password) {
  const [scheme, credentials = ''] = (request.headers.get('authorization') ?? '').split(' ');
  const given = Buffer.from(credentials, 'base64').toString().replace(/^[^:]*:/, '');
  // The comparison needs equal lengths, and digests have one length.
  const digest = (/** @type {string} */ text) => createHash('sha256').update(text).digest();
  return scheme === 'Basic' && timingSafeEqual(digest(given), digest(password));
}
