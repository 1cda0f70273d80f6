import { OWN_DATA_COLUMN, type Layout } from './layout.js';
import { identifier } from './quoting.js';

/** Names of computed columns: a mapped table's own cannot be called that by accident. */
export const ID = 'hydrant:id';
export const VERSION = 'hydrant:version';
export const STATUS = 'hydrant:status';
export const VISIBLE = 'hydrant:visible';

/** A query's text and how to make its values. Never prepared by name: poolers in transaction mode lose those. */
export interface Queries {
  readonly rows: string;
  readonly versions: string;
  readonly all: string;
  readonly remove: string | undefined;
  readonly touch: string;
  /** What a statement that writes one row gives back. */
  readonly returning: string;
}

/** The queries of a layout. */
export function queriesOf(layout: Layout): Queries {
  const { table, visible, softDelete, where, mapped } = layout;
  const id = identifier(layout.idColumn);
  const version = identifier(layout.versionColumn);
  // Everything as text: drivers differ in what they make of other types.
  const own = mapped ? '*' : `${identifier(OWN_DATA_COLUMN)}::text as ${identifier(OWN_DATA_COLUMN)}`;
  const fields = `${own}, ${id}::text as "${ID}", ${version}::text as "${VERSION}", case when ${layout.stopped} then 'stopped' else 'active' end as "${STATUS}"`;
  const one = `where ${id} = $1::${layout.idType} and ${visible}`;
  const many = `where ${id} = any($1::${layout.idType}[]) and ${visible}`;
  const remove = where === undefined && softDelete === undefined ? `delete from ${table} ${one}`
    : softDelete === undefined ? undefined : `update ${table} set ${softDelete} ${one}`;
  return {
    rows: `select ${fields} from ${table} ${many}`,
    versions: `select ${id}::text as "${ID}", ${version}::text as "${VERSION}" from ${table} ${many}`,
    all: `select ${fields} from ${table} where ${visible} order by ${id}`,
    remove,
    // The trigger takes null for a request for a new version: see the migration.
    touch: `update ${table} set ${version} = null ${one} returning ${id}::text as "${ID}"`,
    returning: `returning ${fields}, (${visible})::text as "${VISIBLE}"`,
  };
}

/** Writes one row, whether or not it was there. */
export function upsert(layout: Layout, queries: Queries, row: Readonly<Record<string, unknown>>): { text: string; values: unknown[] } {
  const columns = Object.keys(row);
  const values = columns.map((column) => row[column]);
  const names = columns.map((column) => identifier(column));
  // As text: of a parameter that is jsonb some drivers make JSON once more.
  const own = (column: string): string => (!layout.mapped && column === OWN_DATA_COLUMN ? '::text::jsonb' : '');
  const text = `insert into ${layout.table} (${names.join(', ')}) values (${columns.map((column, n) => `$${n + 1}${own(column)}`).join(', ')})`
    // With the condition, a unique index that covers only the rows alive will do as well as one over all of them.
    + ` on conflict (${identifier(layout.idColumn)})${layout.where === undefined ? '' : ` where ${layout.where}`}`
    + ` do update set ${names.map((name) => `${name} = excluded.${name}`).join(', ')} ${queries.returning}`;
  return { text, values };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INTEGER = /^(0|-?[1-9]\d{0,18})$/;

/** Whether an id can be one of a row at all: what cannot must not fail the query of those that can. */
export function isPossibleId(layout: Layout, id: unknown): id is string {
  if (typeof id !== 'string' || id === '') return false;
  if (layout.idType === 'uuid') return UUID.test(id);
  if (layout.idType === 'bigint') return INTEGER.test(id) && BigInt.asIntN(64, BigInt(id)) === BigInt(id);
  return !id.includes('\0');
}
