import { ConnectionError } from '../errors.js';

/** What every adapter takes. */
export interface AdapterOptions {
  /** The longest body that is read, in bytes; a longer one is answered with 413 and not read further. */
  readonly maxBodyBytes?: number | undefined;
  /**
   * Whether to believe `X-Forwarded-Proto` and `X-Forwarded-Host`. Only behind a proxy that overwrites them: else any
   * sender chooses what `request.url` says.
   */
  readonly trustProxy?: boolean | undefined;
  /** The public origin, such as `https://hooks.example.com`, where it is known: neither `Host` nor a proxy is asked. */
  readonly origin?: string | undefined;
  /**
   * Told of what the sender is not: an error your code threw, a route mounted behind a body parser. Defaults to
   * `console.error`. What it throws itself is ignored.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Options after the check, with an `onError` that is safe to call. */
export interface ResolvedAdapterOptions {
  readonly maxBodyBytes: number | undefined;
  readonly trustProxy: boolean | undefined;
  readonly origin: string | undefined;
  readonly onError: (error: unknown) => void;
}

/** @throws ConnectionError with `INVALID_OPTIONS`: the option, what was expected, what came. */
export function checkOptions(options: AdapterOptions): ResolvedAdapterOptions {
  const { maxBodyBytes, trustProxy, origin, onError = logError } = options;
  if (maxBodyBytes !== undefined && !(maxBodyBytes === Infinity || (Number.isSafeInteger(maxBodyBytes) && maxBodyBytes > 0))) {
    throw invalidOption('maxBodyBytes', 'a positive integer or Infinity', maxBodyBytes);
  }
  if (trustProxy !== undefined && typeof trustProxy !== 'boolean') throw invalidOption('trustProxy', 'a boolean', trustProxy);
  if (typeof onError !== 'function') throw invalidOption('onError', 'a function', onError);
  return { maxBodyBytes, trustProxy, origin: checkOrigin(origin), onError: unharmed(onError) };
}

/** The error for one wrong option of an adapter. */
export function invalidOption(name: string, expected: string, actual: unknown): ConnectionError<'INVALID_OPTIONS'> {
  return new ConnectionError('INVALID_OPTIONS', `${name}: expected ${expected}, got ${describe(actual)}`);
}

function checkOrigin(origin: unknown): string | undefined {
  if (origin === undefined) return undefined;
  const parsed = typeof origin === 'string' && URL.canParse(origin) ? new URL(origin) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol) || parsed.href !== `${parsed.origin}/`) {
    throw invalidOption('origin', "an http(s) origin without a path, such as 'https://hooks.example.com'", origin);
  }
  return parsed.origin;
}

function unharmed(onError: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      // A listener may be async all the same.
      const result: unknown = onError(error);
      if (result instanceof Promise) result.catch(() => undefined);
    } catch {
      // The sender still gets its answer.
    }
  };
}

function logError(error: unknown): void {
  console.error('hydrant: a request could not be served:', error);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  if (value === null || ['number', 'boolean', 'undefined', 'bigint'].includes(typeof value)) return String(value);
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
