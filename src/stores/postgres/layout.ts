import { checkedName, invalidOption } from './checked-options.js';
import { derivedName, identifier, literal } from './quoting.js';
import { ConnectionError } from '../../errors.js';
import type { PostgresColumns, PostgresStoreOptions } from './options.js';

/** The jsonb column of the store's own table: a record's fields without id, status and version. */
export const OWN_DATA_COLUMN = 'data';
/** The column of the store's own table that `touch` raises. */
export const OWN_TOUCHED_COLUMN = 'touched';

/** The names of all tables and columns, checked and quoted. */
export interface Layout {
  /** Whether the table was there first. */
  readonly mapped: boolean;
  readonly schema: string | undefined;
  readonly tableName: string;
  /** The quoted table. */
  readonly table: string;
  readonly idColumn: string;
  /** The source of versions. The store's own table has a generated column. */
  readonly versions: 'table' | 'hash' | 'column';
  /** The column of `versions: 'column'`, and the generated one of the store's own table. */
  readonly versionColumn: string | undefined;
  /** `undefined` where a condition decides about the status. */
  readonly statusColumn: string | undefined;
  /** SQL of every part of the configuration; `undefined` for all columns but the status. */
  readonly config: readonly string[] | undefined;
  /** Whether `config` consists of columns alone. */
  readonly plainConfig: boolean;
  /** `undefined`: looked up. */
  readonly idType: 'text' | 'uuid' | 'bigint' | undefined;
  /** The schema of hydrant's own objects. */
  readonly objects: string;
  /** SQL that is true for a stopped row, and never null. */
  readonly stopped: string;
  /** SQL that is true for a row that exists for the store, and never null. */
  readonly visible: string;
  readonly where: string | undefined;
  readonly softDelete: string | undefined;
  readonly notify: boolean;
  readonly channel: string;
}

const OPTIONS = [
  'client',
  'queryTimeoutMs',
  'table',
  'columns',
  'where',
  'stopped',
  'versions',
  'schema',
  'idType',
  'mapRow',
  'toRow',
  'softDelete',
  'notify',
  'channel',
  'listenClient',
  'watch',
  'onWatchError',
  'clock',
] as const satisfies readonly (keyof PostgresStoreOptions<object>)[];
const COLUMNS = ['id', 'version', 'status', 'config'] as const satisfies readonly (keyof PostgresColumns)[];

function refuseUnknown(where: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name))
      throw new ConnectionError('INVALID_OPTIONS', `PostgresStore: does not know the option ${where}${name.slice(0, 64)}`);
  }
}

type LayoutOptions = Omit<PostgresStoreOptions<object>, 'client' | 'toRow' | 'mapRow'> & { readonly mapRow?: unknown };

/**
 * Checks the options that say where rows are.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export function layoutOf(options: LayoutOptions): Layout {
  const { columns = {}, idType, mapRow } = options;
  const mapped = mapRow !== undefined;
  if (mapped && typeof mapRow !== 'function') throw invalidOption('mapRow', 'a function', mapRow);
  const { schema, name } = tableOf(options.table ?? 'hydrant_connections');
  if (typeof columns !== 'object' || columns === null) throw invalidOption('columns', 'an object', columns);
  // A mistyped option would otherwise be ignored, and its default used. `lockTimeoutMs` belongs to migrations.
  refuseUnknown('', options, [...OPTIONS, 'lockTimeoutMs']);
  refuseUnknown('columns.', columns, COLUMNS);
  if (!['text', 'uuid', 'bigint', undefined].includes(idType))
    throw invalidOption('idType', `'text', 'uuid' or 'bigint'`, idType);
  const versions = versionsOf(options.versions);
  const { notify = !mapped || versions.kind === 'table' } = options;
  if (typeof notify !== 'boolean') throw invalidOption('notify', 'a boolean', notify);
  const where = fragment('where', options.where);
  const stopped = fragment('stopped', options.stopped);
  const softDelete = fragment('softDelete', options.softDelete);
  if (!mapped) refuseOnOwnTable({ ...options, 'columns.config': columns.config });
  else if (columns.version !== undefined)
    throw invalidOption('columns.version', 'none with mapRow: see versions', columns.version);
  const { id = 'id', version = 'version', status = 'status' } = columns;
  const statusColumn = stopped === undefined ? checkedName('columns.status', status) : undefined;
  const config = mapped ? configOf(columns.config) : [identifier(OWN_DATA_COLUMN)];
  return {
    mapped,
    schema,
    tableName: name,
    table: qualified(schema, name),
    idColumn: checkedName('columns.id', id),
    versions: mapped ? versions.kind : 'column',
    versionColumn: mapped ? versions.column : checkedName('columns.version', version),
    statusColumn,
    config,
    plainConfig: config === undefined || config.every((part) => part.startsWith('"')),
    idType: mapped ? idType : 'text',
    objects: checkedName('schema', options.schema ?? 'hydrant'),
    stopped: `(${stopped ?? `${identifier(statusColumn ?? '')}::text = ${literal('stopped')}`}) is true`,
    visible: where === undefined ? 'true' : `(${where}) is true`,
    where,
    softDelete,
    notify,
    channel: checkedName('channel', options.channel ?? derivedName(`hydrant_${name}`, '')),
  };
}

function versionsOf(value: unknown = 'table'): { readonly kind: Layout['versions']; readonly column: string | undefined } {
  if (value === 'table' || value === 'hash') return { kind: value, column: undefined };
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.length !== 1 || keys[0] !== 'column') throw invalidOption('versions', `'table', 'hash' or { column }`, value);
  return { kind: 'column', column: checkedName('versions.column', (value as { column: unknown }).column) };
}

/** Quotes a name in the schema, or one that the search path finds. */
export function qualified(schema: string | undefined, name: string): string {
  return schema === undefined ? identifier(name) : `${identifier(schema)}.${identifier(name)}`;
}

function tableOf(table: unknown): { schema: string | undefined; name: string } {
  if (typeof table !== 'string') throw invalidOption('table', `'table' or 'schema.table'`, table);
  const parts = table.split('.');
  if (parts.length > 2) throw invalidOption('table', `'table' or 'schema.table'`, table);
  const name = checkedName('table', parts.at(-1));
  return { schema: parts.length === 2 ? checkedName('table', parts[0]) : undefined, name };
}

function fragment(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.trim() === '' || value.includes('\0') || value.includes('--')) {
    throw invalidOption(option, 'SQL without a comment', value);
  }
  return value;
}

/** A column name that needs no quotes. Anything else is an expression. */
const COLUMN_NAME = /^[\p{L}_][\p{L}\p{N}_$]*$/u;

function configOf(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length === 0)
    throw invalidOption('columns.config', 'at least one column name or expression', value);
  return value.map((part: unknown) => typeof part === 'string' && COLUMN_NAME.test(part)
    ? identifier(checkedName('columns.config', part)) : `(${fragment('columns.config', part) ?? ''})`);
}

/** Refuses options of mapped tables, because they would have no effect here. */
function refuseOnOwnTable(options: Readonly<Record<string, unknown>>): void {
  for (const option of ['where', 'stopped', 'versions', 'schema', 'softDelete', 'toRow', 'idType', 'columns.config']) {
    if (options[option] !== undefined) throw invalidOption(option, 'none without mapRow: add mapRow', options[option]);
  }
}
