import { createServer } from 'node:http';

/**
 * An HTTP server on loopback in place of a vendor's. It records requests and gives the answers that it is told.
 *
 * @typedef {{ method: string, path: string, headers: import('node:http').IncomingHttpHeaders, body: string }} Received
 *
 * @param {(request: Received) => { status?: number, json?: unknown, headers?: Record<string, string> }
 *   | Promise<{ status?: number, json?: unknown, headers?: Record<string, string> }>} [answer]
 */
export async function startRecordingServer(answer = () => ({ json: { ok: true } })) {
  /** @type {Received[]} */
  const received = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url: path = '', headers } = request;
    const one = { method, path, headers, body: Buffer.concat(chunks).toString() };
    received.push(one);
    const { status = 200, json, headers: more } = await answer(one);
    response
      .writeHead(status, { 'content-type': 'application/json', ...more })
      .end(json === undefined ? '' : JSON.stringify(json));
  });
  const url = await listen(server);
  return {
    url,
    received,
    connections: () => connectionsOf(server),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => { server.close(() => resolve(undefined)); });
    },
  };
}

/**
 * Listens on a free loopback port, and returns the origin.
 *
 * @param {import('node:http').Server} server
 * @returns {Promise<string>}
 */
export async function listen(server) {
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}

/**
 * The number of connections that clients hold open.
 * @param {import('node:http').Server} server
 * @returns {Promise<number>}
 */
export function connectionsOf(server) {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => { if (error) reject(error); else resolve(count); });
  });
}
