import { systemClock, type Clock } from '../clock.js';
import { ConnectionError } from '../errors.js';

/** Options of {@link createInspector}. */
export interface InspectorOptions {
  /**
   * Whether whoever sent this request may see, and do, everything. Called for every request, before anything else is
   * looked at. A `Response` answers the request (a redirect to a log-in).
   */
  readonly authorize: (request: Request) => boolean | Response | Promise<boolean | Response>;
  /** The page's heading. Default `'Connections'`. */
  readonly title?: string | undefined;
  /** The least time between two updates of a page, in milliseconds. Default 1000. */
  readonly intervalMs?: number | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
}

/** The options with every default filled in. */
export interface ResolvedInspectorOptions {
  readonly authorize: InspectorOptions['authorize'];
  readonly title: string;
  readonly intervalMs: number;
  readonly clock: Clock;
}

/** @throws ConnectionError `INVALID_OPTIONS` */
export function checkInspectorOptions(registry: unknown, options: InspectorOptions): ResolvedInspectorOptions {
  const methods = ['snapshot', 'on', 'invalidate'] as const;
  if (typeof registry !== 'object' || registry === null || methods.some((name) => typeof (registry as Record<string, unknown>)[name] !== 'function')) {
    throw invalid('registry', 'a ConnectionRegistry', registry);
  }
  const { authorize, title = 'Connections', intervalMs = 1_000, clock = systemClock } = options ?? {};
  if (typeof authorize !== 'function') throw invalid('authorize', 'a function (request) => boolean | Response, for the page shows and does everything', authorize);
  if (typeof title !== 'string') throw invalid('title', 'a string', title);
  if (!Number.isFinite(intervalMs) || intervalMs < 1 || intervalMs > 2 ** 31 - 1) throw invalid('intervalMs', 'milliseconds from 1 to 2147483647', intervalMs);
  return { authorize, title, intervalMs, clock };
}

function invalid(option: string, expected: string, got: unknown): ConnectionError<'INVALID_OPTIONS'> {
  const came = typeof got === 'number' ? String(got) : got === undefined ? 'nothing' : got === null ? 'null' : `a value of type ${typeof got}`;
  return new ConnectionError('INVALID_OPTIONS', `createInspector: ${option}: expected ${expected}, got ${came}`);
}
