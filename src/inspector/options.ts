import { aFunction, check, duration, once, shape as optionsShape, text, withDefault, withMethods } from '../checks.js';
import { systemClock, type Clock } from '../clock.js';

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

const shape = /* @__PURE__ */ once(() => optionsShape('an object of options', {
  authorize: aFunction<InspectorOptions['authorize']>('a function (request) => boolean | Response, for the page shows and does everything'),
  title: withDefault(text('a string'), 'Connections'),
  intervalMs: withDefault(duration(1), 1_000),
  clock: withDefault<Clock>(withMethods('a clock: { now, monotonic, setTimeout }', 'now', 'monotonic', 'setTimeout'), () => systemClock),
}));

/** @throws ConnectionError `INVALID_OPTIONS`, naming the option, what was expected and what came */
export function checkInspectorOptions(registry: unknown, options: InspectorOptions): ResolvedInspectorOptions {
  const what = 'createInspector';
  check(what, withMethods('a ConnectionRegistry', 'snapshot', 'on', 'invalidate'), registry, 'registry');
  return check(what, shape(), options ?? {});
}
