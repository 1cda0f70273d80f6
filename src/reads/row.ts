import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { StandardSchemaV1 } from '../contracts/schema.js';
import { ConnectionError, isConnectionError } from '../errors.js';
import { isThenable } from '../thenable.js';

/** The result of parsing a row. */
export type ParsedRow<R extends ConnectionRecord> =
  | { readonly kind: 'missing' }
  | { readonly kind: 'stopped'; readonly record: ConnectionRecord }
  | { readonly kind: 'active'; readonly record: R }
  /** `version` is set if the row has a readable one. */
  | { readonly kind: 'invalid'; readonly error: ConnectionError; readonly version: string | undefined };

const isVersion = (value: unknown): value is ConnectionRecord['version'] =>
  (typeof value === 'string' && value !== '') || typeof value === 'bigint' || (typeof value === 'number' && !Number.isNaN(value));

function invalid(id: string, what: string, version: string | undefined): ParsedRow<never> {
  const error = new ConnectionError('INVALID_RECORD', `The row of connection '${id}' ${what}`, { connectionId: id });
  return { kind: 'invalid', error, version };
}

/**
 * Makes a record of what a store returned for `id`, or says what is wrong with it without repeating what is in it.
 * Synchronous unless the schema is not.
 */
export function parseRow<R extends ConnectionRecord>(
  id: string, row: unknown, schema: StandardSchemaV1<any, R> | undefined,
): Awaitable<ParsedRow<R>> {
  if (row === undefined || row === null) return { kind: 'missing' };
  try {
    if (isConnectionError(row)) return { kind: 'invalid', error: row, version: undefined };
    const version = versionOf(row);
    // A stopped row need not match the schema.
    if (schema === undefined || (row as Partial<ConnectionRecord>).status === 'stopped') return checked<R>(id, row, version);
    return parsed<R>(id, row, schema, version);
  } catch {
    // Rows may be lazy: a getter or a proxy of an ORM throws when it is looked at.
    return invalid(id, 'could not be read', undefined);
  }
}

function parsed<R extends ConnectionRecord>(
  id: string, row: unknown, schema: StandardSchemaV1<any, R>, version: string | undefined,
): Awaitable<ParsedRow<R>> {
  const threw = (): ParsedRow<R> => invalid(id, 'could not be parsed: recordSchema threw', version);
  try {
    const result: unknown = schema['~standard'].validate(row);
    return isThenable(result)
      ? Promise.resolve(result).then((settled) => fromSchema<R>(id, settled, version)).catch(threw)
      : fromSchema<R>(id, result, version);
  } catch {
    return threw();
  }
}

/** The result for a row that an asynchronous schema has not parsed in time. */
export function notParsedInTime(id: string, row: unknown, timeoutMs: number): ParsedRow<never> {
  const tell = (version: string | undefined): ParsedRow<never> =>
    invalid(id, `could not be parsed: recordSchema has not settled within storeTimeoutMs (${timeoutMs} ms)`, version);
  try {
    return tell(versionOf(row));
  } catch {
    return tell(undefined);
  }
}

/** Whether an unparsed row has this id and version and is active. Never throws. */
export function confirms(row: unknown, { id, version }: { readonly id: string; readonly version: string }): boolean {
  try {
    return versionOf(row) === version && (row as ConnectionRecord).status === 'active' && (row as ConnectionRecord).id === id;
  } catch {
    return false;
  }
}

function versionOf(row: unknown): string | undefined {
  const version: unknown = typeof row === 'object' && row !== null ? (row as Partial<ConnectionRecord>).version : undefined;
  return isVersion(version) ? String(version) : undefined;
}

function fromSchema<R extends ConnectionRecord>(id: string, result: unknown, version: string | undefined): ParsedRow<R> {
  const { value, issues } = result as { value?: unknown; issues?: readonly { path?: readonly unknown[] }[] };
  if (issues !== undefined) {
    // The paths alone, because a schema's messages may quote the value that they refuse.
    const paths = issues.map(({ path = [] }) => path.map(segment).join('.') || 'the row itself');
    return invalid(id, `does not match recordSchema at ${[...new Set(paths)].slice(0, 8).join(', ')}`, version);
  }
  const row = checked<R>(id, value, versionOf(value));
  if (row.kind === 'active' && version !== undefined && String(row.record.version) !== version) {
    return invalid(id, 'has another version after recordSchema: the schema must not change versions', version);
  }
  return row;
}

const segment = (part: unknown): string =>
  String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part).slice(0, 64);

function checked<R extends ConnectionRecord>(id: string, value: unknown, version: string | undefined): ParsedRow<R> {
  if (typeof value !== 'object' || value === null)
    return invalid(id, `is not a record: expected an object, got ${typeof value}`, version);
  const record = value as Partial<ConnectionRecord>;
  if (record.id !== id)
    return invalid(id, 'belongs to another connection: its id is not the requested one', undefined);
  if (version === undefined) return invalid(id, 'has no version that is a string, number or bigint', version);
  if (record.status === 'active') return { kind: 'active', record: value as R };
  if (record.status === 'stopped') return { kind: 'stopped', record: value as ConnectionRecord };
  return invalid(id, "has no status that is 'active' or 'stopped'", version);
}
