import { checkedName, derivedName, identifier, invalidOption, literal } from './quoting.js';
import { ConnectionError } from '../../errors.js';
import type { PostgresColumns, PostgresStoreOptions } from './options.js';

/** The jsonb column of the store's own table: everything of a record but id, status and version. */
export const OWN_DATA_COLUMN = 'data';

/** Where everything is, checked and quoted once. */
export interface Layout {
  /** Whether the table was there first. */
  readonly mapped: boolean;
  readonly schema: string | undefined;
  readonly tableName: string;
  /** The quoted table. */
  readonly table: string;
  readonly idColumn: string;
  readonly versionColumn: string;
  /** `undefined` where a condition decides about the status. */
  readonly statusColumn: string | undefined;
  /** `undefined` where a mapped table's were not said: enough for reading. */
  readonly configColumns: readonly string[] | undefined;
  readonly idType: 'text' | 'uuid' | 'bigint';
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
  'client', 'table', 'columns', 'where', 'stopped', 'idType', 'mapRow', 'toRow', 'softDelete', 'notify', 'channel', 'listenClient', 'watch',
  'onWatchError', 'clock',
] as const satisfies readonly (keyof PostgresStoreOptions<object>)[];
const COLUMNS = ['id', 'version', 'status', 'config'] as const satisfies readonly (keyof PostgresColumns)[];

function refuseUnknown(where: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) throw new ConnectionError('INVALID_OPTIONS', `PostgresStore: does not know the option ${where}${name.slice(0, 64)}`);
  }
}

type LayoutOptions = Omit<PostgresStoreOptions<object>, 'client' | 'toRow' | 'mapRow'> & { readonly mapRow?: unknown };

/**
 * Checks the options that say where rows are.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export function layoutOf(options: LayoutOptions): Layout {
  const { columns = {}, idType = 'text', notify = true } = options;
  const mapped = options.mapRow !== undefined;
  if (mapped && typeof options.mapRow !== 'function') throw invalidOption('mapRow', 'a function', options.mapRow);
  const { schema, name } = tableOf(options.table ?? 'hydrant_connections');
  if (typeof columns !== 'object' || columns === null) throw invalidOption('columns', 'an object', columns);
  // A mistyped name would leave the default in its place: another table, for one. `lockTimeoutMs` is of a migration.
  refuseUnknown('', options, [...OPTIONS, 'lockTimeoutMs']);
  refuseUnknown('columns.', columns, COLUMNS);
  if (!['text', 'uuid', 'bigint'].includes(idType)) throw invalidOption('idType', `'text', 'uuid' or 'bigint'`, idType);
  if (typeof notify !== 'boolean') throw invalidOption('notify', 'a boolean', notify);
  const where = fragment('where', options.where);
  const stopped = fragment('stopped', options.stopped);
  const softDelete = fragment('softDelete', options.softDelete);
  if (!mapped) refuseOnOwnTable({ ...options, 'columns.config': columns.config });
  const { id = 'id', version = mapped ? 'hydrant_version' : 'version', status = 'status' } = columns;
  const statusColumn = stopped === undefined ? checkedName('columns.status', status) : undefined;
  return {
    mapped,
    schema,
    tableName: name,
    table: qualified(schema, name),
    idColumn: checkedName('columns.id', id),
    versionColumn: checkedName('columns.version', version),
    statusColumn,
    configColumns: mapped ? configColumns(columns.config) : [OWN_DATA_COLUMN],
    idType,
    stopped: `(${stopped ?? `${identifier(statusColumn ?? '')}::text = ${literal('stopped')}`}) is true`,
    visible: where === undefined ? 'true' : `(${where}) is true`,
    where,
    softDelete,
    notify,
    channel: checkedName('channel', options.channel ?? derivedName(`hydrant_${name}`, '')),
  };
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

function configColumns(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length === 0) throw invalidOption('columns.config', 'a list of column names', value);
  return value.map((column) => checkedName('columns.config', column));
}

/** These describe a table that was there first; without `mapRow` they would be ignored without a word. */
function refuseOnOwnTable(options: Readonly<Record<string, unknown>>): void {
  for (const option of ['where', 'stopped', 'softDelete', 'toRow', 'idType', 'columns.config']) {
    if (options[option] !== undefined) throw invalidOption(option, 'none without mapRow', options[option]);
  }
}
