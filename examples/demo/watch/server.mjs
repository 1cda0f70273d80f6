import { createServer } from 'node:http';
import { toNodeHandler } from 'hydrant/node';
import { listen } from '../../support/recording-server.mjs';
import { inspectorParts } from './inspector-parts.mjs';
import { body, script, style } from './page.mjs';

/** How often the page is told what has changed, and how long it may take to hear of the end. */
const INTERVAL_MS = 100;
const FAREWELL_MS = 3_000;

/**
 * Serves the page on loopback.
 *
 * @typedef {object} WatchPage
 * @property {string} origin
 * @property {Promise<void>} opened resolves when a browser first asks for updates
 * @property {() => Promise<void>} heardTheEnd resolves when every open page has read the last view, or has had the time
 * @property {() => Promise<void>} close
 *
 * @param {{ read: () => unknown }} view
 * @returns {Promise<WatchPage>}
 */
export async function servePage(view) {
  const parts = await inspectorParts();
  const closing = new AbortController();
  let streams = 0;
  /** @type {(value?: undefined) => void} */
  let open = () => {};
  /** @type {Promise<void>} */
  const opened = new Promise((resolve) => { open = resolve; });
  let closeLast = () => {};
  /** @type {string[]} */
  const hosts = [];

  /** @param {Request} request */
  function answer(request) {
    // A website whose name points at this address must not be able to read the page.
    if (!parts.isToHost(request, hosts)) return parts.plain(421, 'Misdirected request');
    if (request.method !== 'GET') return parts.plain(405, 'Method not allowed', { allow: 'GET' });
    const { pathname } = new URL(request.url);
    if (pathname === '/') return parts.htmlResponse({ title: 'hydrant: the demo', style: parts.style + style, script, body });
    if (pathname !== '/stream') return parts.plain(404, 'Not found');
    open();
    streams++;
    return new Response(parts.eventStream({
      clock: parts.systemClock, intervalMs: INTERVAL_MS, lastsMs: 3_600_000,
      signal: AbortSignal.any([request.signal, closing.signal]),
      next: () => view.read(),
      ended: () => { if (--streams === 0) closeLast(); },
    }), { headers: parts.securityHeaders('text/event-stream') });
  }

  const server = createServer(toNodeHandler(answer));
  const origin = await listen(server);
  hosts.push(new URL(origin).host, `localhost:${new URL(origin).port}`);
  return {
    origin,
    opened,
    heardTheEnd() {
      // A page that reads the last view closes its stream.
      return new Promise((resolve) => {
        const deadline = setTimeout(resolve, FAREWELL_MS);
        closeLast = () => {
          clearTimeout(deadline);
          resolve();
        };
        if (streams === 0) closeLast();
      });
    },
    close() {
      closing.abort();
      server.closeAllConnections();
      return new Promise((resolve) => { server.close(() => resolve()); });
    },
  };
}
