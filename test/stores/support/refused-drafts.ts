/** A draft that no store writes, and the code of the error. */
export interface RefusedDraft {
  readonly what: string;
  readonly draft: unknown;
  readonly code: 'INVALID_CONNECTION_ID' | 'INVALID_RECORD';
}

export const REFUSED_DRAFTS: readonly RefusedDraft[] = [
  { what: 'no id', draft: { token: 'secret' }, code: 'INVALID_CONNECTION_ID' },
  { what: 'an empty id', draft: { id: '' }, code: 'INVALID_CONNECTION_ID' },
  { what: 'an id with a lone surrogate', draft: { id: '\ud800' }, code: 'INVALID_CONNECTION_ID' },
  { what: 'an id that is a number', draft: { id: 1 }, code: 'INVALID_CONNECTION_ID' },
  { what: 'another status', draft: { id: 'a', status: 'error' }, code: 'INVALID_RECORD' },
  { what: 'a bigint', draft: { id: 'a', token: 1n }, code: 'INVALID_RECORD' },
];

/** PostgreSQL's text has no NUL. */
export const REFUSED_BY_POSTGRES: readonly RefusedDraft[] = [
  ...REFUSED_DRAFTS,
  { what: 'an id with NUL', draft: { id: 'a\0b' }, code: 'INVALID_CONNECTION_ID' },
  { what: 'a NUL in a field', draft: { id: 'a', token: 'secret\0' }, code: 'INVALID_RECORD' },
  { what: 'a NUL after a backslash', draft: { id: 'a', token: 'secret\\\0' }, code: 'INVALID_RECORD' },
  { what: 'a NUL after two backslashes', draft: { id: 'a', token: 'secret\\\\\0' }, code: 'INVALID_RECORD' },
];
