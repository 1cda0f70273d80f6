import { ConnectionError } from '../errors.js';
import { MAX_ID_LENGTH } from '../ids.js';

/** @throws ConnectionError `INVALID_CONNECTION_ID` */
export function checkId(id: unknown): void {
  if (typeof id === 'string' && id !== '' && id.length <= MAX_ID_LENGTH && !id.includes('\0')) return;
  const got = typeof id === 'string' ? `one of ${id.length}` : typeof id;
  throw new ConnectionError(
    'INVALID_CONNECTION_ID',
    `Expected an id of 1 to ${MAX_ID_LENGTH} characters without NUL, got ${got}`,
  );
}
