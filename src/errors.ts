/** What went wrong. The README's table of errors says what each means and what to do. */
export type ConnectionErrorCode =
  | 'CONNECTION_NOT_FOUND' | 'CONNECTION_STOPPED' | 'INVALID_CONNECTION_ID' | 'INVALID_RECORD' | 'STORE_UNAVAILABLE'
  | 'HYDRATION_FAILED' | 'HYDRATION_TIMEOUT' | 'BACKING_OFF' | 'OVERLOADED' | 'ACQUIRE_TIMEOUT' | 'UNAUTHENTICATED'
  | 'BODY_TOO_LARGE' | 'BODY_ALREADY_PARSED' | 'NO_WEBHOOK_HANDLER' | 'HANDLER_FAILED' | 'REGISTRY_CLOSED'
  | 'CLAIM_LOST' | 'INVALID_OPTIONS';

/** Codes after which the same call may succeed later, or on another replica. */
const RETRYABLE: ReadonlySet<ConnectionErrorCode> = new Set<ConnectionErrorCode>([
  'STORE_UNAVAILABLE', 'HYDRATION_FAILED', 'HYDRATION_TIMEOUT', 'BACKING_OFF', 'OVERLOADED', 'ACQUIRE_TIMEOUT',
  'REGISTRY_CLOSED', 'CLAIM_LOST',
]);

/** Shared by every copy of the package in a process (ESM and CommonJS copies differ). */
const BRAND: unique symbol = Symbol.for('hydrant.ConnectionError');

/** What a {@link ConnectionError} may carry besides its code and message. */
export interface ConnectionErrorDetails {
  readonly connectionId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/**
 * Every failure of this package. The message never holds record contents, for rows hold secrets; `cause` holds what
 * your own code or driver threw, so log it with the care you give those.
 */
export class ConnectionError<C extends ConnectionErrorCode = ConnectionErrorCode> extends Error {
  override readonly name = 'ConnectionError';
  readonly code: C;
  readonly connectionId: string | undefined;
  /** Whether the same call may succeed later, or on another replica. */
  readonly retryable: boolean;
  /** After how many milliseconds a retry makes sense, where that is known. */
  readonly retryAfterMs: number | undefined;

  constructor(code: C, message: string, details: ConnectionErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.connectionId = details.connectionId;
    this.retryable = RETRYABLE.has(code);
    this.retryAfterMs = details.retryAfterMs;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Whether `error` is a {@link ConnectionError}, and of this code if one is given. Works across copies of the package,
 * where `instanceof` does not.
 */
export function isConnectionError<C extends ConnectionErrorCode = ConnectionErrorCode>(
  error: unknown,
  code?: C,
): error is ConnectionError<C> {
  return typeof error === 'object' && error !== null && BRAND in error
    && (code === undefined || ('code' in error && error.code === code));
}
