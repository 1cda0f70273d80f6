import { ConnectionError, isConnectionError } from '../errors.js';

/**
 * The failure that holds for this version of the row, if `cause` is one: a ConnectionError with `retryable: false` that
 * `create` or `secrets` threw, because a token was revoked or a workspace has removed the app.
 */
export function permanentFailure(id: string, cause: unknown): ConnectionError | undefined {
  try {
    if (!isConnectionError(cause) || cause.retryable !== false) return undefined;
    const { connectionId, code, message } = cause;
    if (connectionId === id) return cause;
    // A failure of another connection, which this one uses, says nothing about this row.
    return connectionId === undefined
      ? new ConnectionError(code, message, { connectionId: id, retryable: false, cause })
      : undefined;
  } catch {
    // A getter of the error threw. Then it is an ordinary failure.
    return undefined;
  }
}
