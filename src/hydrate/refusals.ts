import { ConnectionError } from '../errors.js';

/** The errors of uses and webhooks that get no instance although `create` did not fail. */

/** The store has no row. */
export function notFound(id: string): ConnectionError {
  return new ConnectionError('CONNECTION_NOT_FOUND', `There is no connection '${id}'`, { connectionId: id });
}

/** The row is stopped. */
export function stopped(id: string): ConnectionError {
  return new ConnectionError('CONNECTION_STOPPED', `Connection '${id}' is stopped`, { connectionId: id });
}

/** The store did not answer, or its answer was an error. */
export function notRead(id: string, cause: unknown): ConnectionError {
  const message = `The row of connection '${id}' could not be read`;
  return new ConnectionError('STORE_UNAVAILABLE', message, { connectionId: id, cause });
}

/** The last attempts to hydrate this version failed. */
export function backingOff(id: string, remainingMs: number): ConnectionError {
  const message = `Connection '${id}' failed to hydrate and is not tried again for ${Math.ceil(remainingMs)} ms`;
  return new ConnectionError('BACKING_OFF', message, { connectionId: id, retryAfterMs: remainingMs });
}

/** Too many connections wait for a permit. */
export function overloaded(id: string): ConnectionError {
  const message = `Connection '${id}' was not hydrated: maxQueuedHydrations hydrates wait already`;
  return new ConnectionError('OVERLOADED', message, { connectionId: id });
}

/** The row has moved to another platform, which has its own way to authenticate. */
export function otherPlatform(id: string): ConnectionError {
  return new ConnectionError('UNAUTHENTICATED', 'The request was authenticated for another platform', { connectionId: id });
}
