import {
  aFunction,
  check,
  duration,
  expecting,
  once,
  optional,
  shape as optionsShape,
  text,
  withDefault,
  withMethods,
} from '../checks.js';
import { systemClock, type Clock } from '../clock.js';

/** Options of {@link createInspector}. */
export interface InspectorOptions {
  /**
   * Whether the sender of this request may see and do everything. Called for every request to an allowed host, before
   * anything else. A `Response` answers the request (a redirect to a log-in).
   */
  readonly authorize: (request: Request) => boolean | Response | Promise<boolean | Response>;
  /**
   * The host names, with port if any, at which the page is reached: `['ops.example.com', 'localhost:3000']`. A request to
   * another host is answered with 421 before `authorize` is called. Set it if `authorize` trusts the network (a page on
   * localhost or behind a VPN). Otherwise a website can point its own name at that address (DNS rebinding) and
   * read the page. The host is that of `request.url`, so do not fix it with an adapter's `origin`. Default: any host.
   */
  readonly allowedHosts?: readonly string[] | undefined;
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
  readonly allowedHosts: readonly string[] | undefined;
  readonly title: string;
  readonly intervalMs: number;
  readonly clock: Clock;
}

const isHost = (value: unknown): boolean =>
  typeof value === 'string'
  && URL.canParse(`http://${value}`)
  && new URL(`http://${value}`).host === value.toLowerCase().replace(/:80$/, '');

const shape = /* @__PURE__ */ once(() =>
  optionsShape('an object of options', {
    authorize: aFunction<InspectorOptions['authorize']>(
      'a function (request) => boolean | Response, because the page shows and does everything',
    ),
    allowedHosts: optional(
      expecting<readonly string[]>(
        "an array of hosts, such as ['localhost:3000']",
        (value) => Array.isArray(value) && value.length > 0 && value.every(isHost),
      ),
    ),
    title: withDefault(text('a string'), 'Connections'),
    intervalMs: withDefault(duration(1), 1_000),
    clock: withDefault<Clock>(
      withMethods('a clock: { now, monotonic, setTimeout }', 'now', 'monotonic', 'setTimeout'),
      () => systemClock,
    ),
  }),
);

/** @throws ConnectionError `INVALID_OPTIONS`, with the option's name, the expected value and the given one */
export function checkInspectorOptions(registry: unknown, options: InspectorOptions): ResolvedInspectorOptions {
  const what = 'createInspector';
  check(what, withMethods('a ConnectionRegistry', 'snapshot', 'on', 'invalidate'), registry, 'registry');
  return check(what, shape(), options ?? {});
}
