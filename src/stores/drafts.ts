import type { ConnectionRecord, ConnectionStatus } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';

/** The fields of a row that are its owner's, not hydrant's. */
export type Fields<D> = D extends unknown ? Omit<D, 'id' | 'status' | 'version'> : never;

/** The members of every record of a store. The version is text. */
export interface StoredRecord extends ConnectionRecord {
  readonly version: string;
}

/** A record to write. It has no version, because the store gives it one. The default status is `'active'`. */
export type Draft<D> = Fields<D> & { readonly id: string; readonly status?: ConnectionStatus | undefined };

/** An `INVALID_RECORD` error about a draft. */
export function invalidDraft(store: string, id: string, why: string, cause?: unknown): ConnectionError<'INVALID_RECORD'> {
  return new ConnectionError('INVALID_RECORD', `${store}: connection '${id}': ${why}`, {
    connectionId: id,
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * The status of a draft.
 *
 * @throws ConnectionError `INVALID_RECORD`
 */
export function draftStatus(store: string, { id, status = 'active' }: Draft<unknown>): ConnectionStatus {
  if (status === 'active' || status === 'stopped') return status;
  throw invalidDraft(store, id, `expected status 'active' or 'stopped', got ${typeof status}`);
}

/** A draft's own fields. A record that was read can be written again: its version is left out. */
export function fieldsOf(draft: Draft<object>): object {
  const { id: _id, status: _status, version: _version, ...fields } = draft as Draft<object> & { version?: unknown };
  return fields;
}

/**
 * Writes JSON.
 *
 * @throws ConnectionError `INVALID_RECORD`
 */
export function jsonOf(store: string, id: string, value: object): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw invalidDraft(store, id, 'expected fields that can be written as JSON', cause);
  }
}

/** The error in place of a row that is not a valid record. */
export function invalidRow(id: string, cause: unknown): ConnectionError<'INVALID_RECORD'> {
  return new ConnectionError('INVALID_RECORD', `The row of connection '${id}' is not a record`, { connectionId: id, cause });
}
