/** The kind of a failure. *Errors and events* in the manual says what each code means and what to do. */
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

/** The HTTP statuses that answer failures. `messages/problem.ts` has their titles. */
export type FailureStatus = 401 | 404 | 413 | 500 | 503;

/** The status of a code, where it is not 503 (retryable) or 500 (the gateway's own fault). */
const STATUS: Partial<Record<ConnectionErrorCode, FailureStatus>> = {
  INVALID_CONNECTION_ID: 404, CONNECTION_NOT_FOUND: 404, CONNECTION_STOPPED: 404, NO_WEBHOOK_HANDLER: 404,
  UNAUTHENTICATED: 401, BODY_TOO_LARGE: 413,
};

/** Whether the same call may succeed later, or on another replica, unless the error itself says otherwise. */
export function isRetryable(code: ConnectionErrorCode): boolean {
  return RETRYABLE.has(code);
}

/** The HTTP status that answers a failure with this code. */
export function statusOf(code: ConnectionErrorCode): FailureStatus {
  return STATUS[code] ?? (isRetryable(code) ? 503 : 500);
}

/** Shared by every copy of the package in a process (ESM and CommonJS copies differ). */
const BRAND: unique symbol = Symbol.for('hydrant.ConnectionError');

/** The optional properties of a {@link ConnectionError}. */
export interface ConnectionErrorDetails {
  readonly connectionId?: string | undefined;
  /** Default: by the code. An error with `false` that `create` or `secrets` throws holds for this version of the row. */
  readonly retryable?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/**
 * Every failure of this package. The message never holds record contents, because rows hold secrets. `cause` holds what
 * your own code or driver threw, so log it with care.
 */
export class ConnectionError<C extends ConnectionErrorCode = ConnectionErrorCode> extends Error {
  override readonly name = 'ConnectionError';
  readonly code: C;
  /** The HTTP status that a webhook is answered with. The error handlers of Express and Fastify answer with it too. */
  readonly status: number;
  readonly connectionId: string | undefined;
  /** Whether the same call may succeed later, or on another replica. */
  readonly retryable: boolean;
  /** The milliseconds after which a retry makes sense, if known. */
  readonly retryAfterMs: number | undefined;

  constructor(code: C, message: string, details: ConnectionErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.connectionId = details.connectionId;
    this.status = statusOf(code);
    this.retryable = details.retryable ?? isRetryable(code);
    this.retryAfterMs = details.retryAfterMs;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** The same as `status`, under the name that Nest's exception filter reads. */
  get statusCode(): number {
    return this.status;
  }

  /** Nest and Koa do not send the message to the client, because this is `false`. Nest 12 ignores the status without it. */
  get expose(): boolean {
    return false;
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
  try {
    return typeof error === 'object' && error !== null && BRAND in error
      && (code === undefined || ('code' in error && error.code === code));
  } catch {
    // A proxy may throw at every look. Then it is not an error of this package.
    return false;
  }
}
