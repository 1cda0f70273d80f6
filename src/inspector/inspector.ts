import type { RegistryEvents } from '../events.js';
import type { RegistrySnapshot } from '../snapshot.js';
import { ConsoleLines, keyOf } from '../console-lines.js';
import { isFromOwnPage, isToHost, plain, securityHeaders } from './guard.js';
import { MAX_ID_LENGTH } from '../ids.js';
import { History } from './history.js';
import { checkInspectorOptions, type InspectorOptions } from './options.js';
import { page } from './page.js';
import { eventStream } from './stream.js';
import { queryOf, rowsOf, viewOf, type Query, type Row, type View } from './view.js';

/** The part of a `ConnectionRegistry` that is inspected. */
export interface InspectedRegistry {
  snapshot(): RegistrySnapshot;
  invalidate(id: string): void;
  on<E extends keyof RegistryEvents>(event: E, listener: (payload: RegistryEvents[E]) => void): () => void;
}

/** Serves the page and its requests, all at the URL where it is mounted. */
export interface Inspector {
  (request: Request): Promise<Response>;
  /** Removes the listeners and ends the open streams. */
  stop(): void;
}

/** Pages that may be open at a time, and how long one stream lasts before it has to be authorised again. */
const MAX_STREAMS = 100;
const STREAM_MS = 300_000;

/**
 * An operator's page for one process, updated live. It lists every connection with its state, version, leases and age, its
 * last failure and next attempt. It also shows the duration of hydrates, the queues and their limits. One self-contained
 * page under a strict Content-Security-Policy.
 *
 * It has two actions, `invalidate` and `evict`, and refuses both to other origins. `evict` disposes of an idle instance
 * and refuses one that is in use. It calls `invalidate`, so secrets and back-off are forgotten as well.
 *
 * It does not count as a listener: failures without other listeners are still written to the console.
 *
 * @example
 * const inspector = createInspector(registry, { authorize: (request) => isOperator(request) });
 * app.all('/connections', (c) => inspector(c.req.raw));
 *
 * @throws ConnectionError `INVALID_OPTIONS`, above all without `authorize`
 */
export function createInspector(registry: InspectedRegistry, options: InspectorOptions): Inspector {
  const { authorize, allowedHosts, title, intervalMs, clock } = checkInspectorOptions(registry, options);
  const lines = new ConsoleLines(clock);
  const history = new History(registry, clock);
  const stopped = new AbortController();
  let streams = 0;
  let seen: { readonly at: number; readonly snapshot: RegistrySnapshot; readonly rows: readonly Row[] } | undefined;

  /** All readers within one interval share one pass over the connections. */
  function view(query: Query, fresh: boolean): View {
    const now = clock.monotonic();
    if (fresh || seen === undefined || now - seen.at >= intervalMs) {
      const snapshot = registry.snapshot();
      seen = { at: now, snapshot, rows: rowsOf(snapshot, history, now) };
    }
    return viewOf(seen.snapshot, history, seen.rows, query);
  }

  function stream(request: Request, query: Query): Response {
    if (streams >= MAX_STREAMS) return plain(503, 'Too many pages are open', { 'retry-after': '10' });
    streams += 1;
    const body = eventStream({
      clock, intervalMs, lastsMs: STREAM_MS,
      signal: AbortSignal.any([request.signal, stopped.signal]),
      next: () => view(query, false),
      ended: () => { streams -= 1; },
    });
    return new Response(body, { headers: { ...securityHeaders('text/event-stream'), 'x-accel-buffering': 'no' } });
  }

  function act(request: Request, parameters: URLSearchParams): Response {
    if (!isFromOwnPage(request)) return plain(403, 'Only the page itself may do this');
    const id = parameters.get('id') ?? '';
    const action = parameters.get('action');
    if (id === '' || id.length > MAX_ID_LENGTH || (action !== 'invalidate' && action !== 'evict'))
      return plain(400, 'Expected an action and an id');
    if (action === 'evict') {
      const states = registry.snapshot().connections.filter((connection) => connection.id === id).map(({ state }) => state);
      if (!states.includes('idle')) {
        return states.length === 0
          ? plain(404, 'The connection has no instance in this process')
          : plain(409, `The instance is ${states[0]}: only an idle one can be evicted`);
      }
    }
    try {
      registry.invalidate(id);
    } catch {
      return plain(400, `Expected an id of 1 to ${MAX_ID_LENGTH} characters`);
    }
    // The registry has forgotten its back-off, so there is no next attempt to wait for.
    history.failures.delete(id);
    seen = undefined;
    return plain(200, action === 'evict' ? 'Evicted' : 'Invalidated');
  }

  async function handle(request: Request): Promise<Response> {
    if (allowedHosts !== undefined && !isToHost(request, allowedHosts)) return plain(421, 'Misdirected request');
    const verdict = await authorize(request);
    if (verdict instanceof Response) return verdict;
    if (verdict !== true) return plain(403, 'Forbidden');
    if (stopped.signal.aborted) return plain(503, 'The inspector was stopped');
    const { searchParams } = new URL(request.url);
    if (request.method === 'POST') return act(request, searchParams);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return plain(405, 'Method not allowed', { allow: 'GET, HEAD, POST' });
    if (searchParams.get('view') === 'stream') return stream(request, queryOf(searchParams));
    if (searchParams.get('view') === 'data') {
      return new Response(JSON.stringify(view(queryOf(searchParams), true)), { headers: securityHeaders('application/json') });
    }
    return page(title);
  }

  const inspector = async (request: Request): Promise<Response> => {
    try {
      return await handle(request);
    } catch (error) {
      lines.write({ key: keyOf(error), text: 'hydrant: the inspector failed:', error });
      return plain(500, 'The inspector failed');
    }
  };
  return Object.assign(inspector, {
    stop: (): void => {
      history.stop();
      stopped.abort();
    },
  });
}
