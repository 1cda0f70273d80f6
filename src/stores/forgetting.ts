import { check, expecting } from '../checks.js';

/**
 * A claim that expired so long ago belongs to a connection that is not listed any more, because listed ones always have
 * an owner. Its row is deleted then. Milliseconds.
 */
const FORGET_AFTER_MS = 30 * 24 * 3_600_000;

/**
 * Checks the option `forgetAfterMs` of claims.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export function checkedForgetting(owner: string, ms: number = FORGET_AFTER_MS): number {
  const isTime = (value: unknown): boolean => typeof value === 'number' && value > 0 && Number.isFinite(value);
  return check(owner, expecting<number>('milliseconds above 0', isTime), ms, 'forgetAfterMs');
}
