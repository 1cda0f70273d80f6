import { check, expecting, isFunction, looseShape, once, optional, quote, unexpected, type Check } from '../checks.js';
import { systemClock } from '../clock.js';
import { ConsoleLines } from '../console-lines.js';
import type { ConnectionError } from '../errors.js';

/** Options of every adapter. */
export interface AdapterOptions {
  /**
   * Whether to trust `X-Forwarded-Proto` and `X-Forwarded-Host`. Set it only behind a proxy that overwrites them.
   * Otherwise any sender can choose `request.url`.
   */
  readonly trustProxy?: boolean | undefined;
  /** The public origin, such as `https://hooks.example.com`. With it, neither `Host` nor a proxy's headers are read. */
  readonly origin?: string | undefined;
  /**
   * Called with errors that are not reported to the sender, such as an exception in your code or a route mounted behind
   * a body parser. Exceptions that it throws are caught. Default: `console.error`, at most 100 times in ten minutes.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Options of `toNodeHandler`. */
export interface NodeHandlerOptions extends AdapterOptions {
  /**
   * The longest body that is read, in bytes. A longer one is answered with 413 and not read further. Default 1 MiB;
   * `Infinity` leaves it to the handler.
   */
  readonly maxBodyBytes?: number | undefined;
}

/** Options after the check, with an `onError` that is safe to call. */
export interface ResolvedAdapterOptions {
  readonly maxBodyBytes: number | undefined;
  readonly trustProxy: boolean | undefined;
  readonly origin: string | undefined;
  readonly onError: (error: unknown) => void;
}

/** Loose, because every adapter has options of its own, and Fastify adds some. */
const shape = /* @__PURE__ */ once(() =>
  looseShape('an object of options', {
    maxBodyBytes: optional(
      expecting<number>(
        'a positive integer or Infinity',
        (value) => value === Infinity || (Number.isSafeInteger(value) && (value as number) > 0),
      ),
    ),
    trustProxy: optional(expecting<boolean>('a boolean', (value) => typeof value === 'boolean')),
    origin: optional(origin()),
    onError: optional(expecting<NonNullable<AdapterOptions['onError']>>('a function', isFunction)),
  }),
);

function origin(): Check<string> {
  return expecting("an http(s) origin without a path, such as 'https://hooks.example.com'", (value) => {
    const parsed = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
    return parsed !== undefined && ['http:', 'https:'].includes(parsed.protocol) && parsed.href === `${parsed.origin}/`;
  });
}

/** @throws ConnectionError with `INVALID_OPTIONS`: the option, the expected value and the given one */
export function checkOptions(options: NodeHandlerOptions): ResolvedAdapterOptions {
  const { maxBodyBytes, trustProxy, origin: given, onError = logError } = check('', shape(), options);
  return {
    maxBodyBytes,
    trustProxy,
    origin: given === undefined ? undefined : new URL(given).origin,
    onError: unharmed(onError),
  };
}

/** The error for one wrong option of an adapter. */
export function invalidOption(name: string, expected: string, actual: unknown): ConnectionError<'INVALID_OPTIONS'> {
  return unexpected(name, expected, quote(actual));
}

function unharmed(onError: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      // A listener may be async, whatever its type says.
      const result: unknown = onError(error);
      if (result instanceof Promise) result.catch(() => undefined);
    } catch {
      // The sender still gets an answer.
    }
  };
}

const consoleLines = /* @__PURE__ */ once(() => new ConsoleLines(systemClock));

/** Limited, because a sender that repeats a request must not fill the log. */
function logError(error: unknown): void {
  consoleLines().write({ text: 'hydrant: a request could not be served:', error });
}
