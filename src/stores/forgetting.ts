/**
 * A claim that expired so long ago is of a connection that is not listed any more, because listed ones always have an
 * owner. Its row is deleted then.
 */
export const FORGET_AFTER_MS = 30 * 24 * 3_600_000;
