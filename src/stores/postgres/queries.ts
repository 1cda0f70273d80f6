import type { TableFacts } from './catalogue.js';
import { OWN_DATA_COLUMN, OWN_TOUCHED_COLUMN, type Layout } from './layout.js';
import { identifier, literal } from './quoting.js';
import { isIdentified, sealOf, touchesOf, writerOf } from './writers.js';

/** Names of computed columns: a mapped table's own cannot be called that by accident. */
export const ID = 'hydrant:id';
export const VERSION = 'hydrant:version';
export const STATUS = 'hydrant:status';
export const VISIBLE = 'hydrant:visible';
/** JSON lists of texts, in the same order. Parsing one costs a tenth of parsing a row per id, and a third of an object. */
export const IDS = 'hydrant:ids';
export const VERSIONS = 'hydrant:versions';
export const WRITERS = 'hydrant:writers';

/** SQL texts. They are never prepared by name, because poolers in transaction mode lose those. Ids travel as JSON text. */
export interface Queries {
  readonly rows: string;
  readonly versions: string;
  /** Which transaction wrote each row; `undefined` where that does not identify its contents. */
  readonly writers: string | undefined;
  readonly all: string;
  readonly remove: string | undefined;
  /** `undefined` where nothing can be counted. */
  readonly touch: string | undefined;
  /** The result of a statement that writes one row. */
  readonly returning: string;
}

const TOUCHED = '"hydrant:touched"';
/** Microseconds since 1970, so a counter that is lost and begins again does not repeat a number. */
const MICROSECONDS = '(extract(epoch from clock_timestamp()) * 1000000)::bigint';

/** The queries of a layout. */
export function queriesOf(layout: Layout, facts: TableFacts): Queries {
  const { table, visible, softDelete, where, mapped } = layout;
  const { touches } = facts;
  const id = `${table}.${identifier(layout.idColumn)}`;
  // Everything as text: drivers differ in what they make of other types.
  const own = mapped ? `${table}.*` : `${identifier(OWN_DATA_COLUMN)}::text as ${identifier(OWN_DATA_COLUMN)}`;
  const fields = (
    touched: string,
  ): string => `${own}, ${id}::text as "${ID}", ${versionOf(layout, facts, touched)} as "${VERSION}",
    case when ${layout.stopped} then 'stopped' else 'active' end as "${STATUS}"`;
  // Two collations cannot be compared.
  const key = `${id}::text collate "C"`;
  // In a subquery under names that no column of the table has, so that the fragments of the options stay unambiguous.
  const from =
    touches === undefined
      ? table
      : `${table} left join (select id as "hydrant:touched id", version as ${TOUCHED} from ${touches}) "hydrant:touches"
        on "hydrant:touched id" = ${key}`;
  const touchedHere = touches === undefined ? 'null' : `(select version from ${touches} where id = ${key})`;
  const touched = touches === undefined ? 'null' : TOUCHED;
  const compared = facts.idType === undefined ? `${id}::text` : id;
  // A collation may find another id equal.
  const one = `where ${compared} = $1::text${cast(facts)} and ${key} = $1::text and ${visible}`;
  const many = `where ${compared} = any(array(select json_array_elements_text($1::text::json)${cast(facts)})) and ${visible}`;
  const remove = where === undefined && softDelete === undefined ? `delete from ${table} ${one}`
    : softDelete === undefined ? undefined : `update ${table} set ${softDelete} ${one}`;
  const ids = listOf(`${id}::text`, IDS);
  const versions = listOf(versionOf(layout, facts, touched), VERSIONS);
  const identified = isIdentified(layout, facts);
  const writers = identified ? `, ${listOf(writerOf(layout, facts), WRITERS)}${touchesOf(facts)}` : '';
  const seal = sealOf(layout, facts, identified);
  return {
    rows: `select ${fields(touched)} from ${from} ${many}`,
    versions: `select ${ids}, ${versions}${writers}${seal} from ${from} ${many}`,
    writers: identified ? `select ${ids}${writers}${seal} from ${table} ${many}` : undefined,
    all: `select ${fields(touched)} from ${from} where ${visible} order by ${id}`,
    remove,
    touch: touchOf(layout, facts, one, id),
    returning: `returning ${fields(touchedHere)}, (${visible})::text as "${VISIBLE}"`,
  };
}

const listOf = (value: string, name: string): string => `json_agg(${value})::text as "${name}"`;

const cast = ({ idType }: TableFacts): string => (idType === undefined || idType === 'text' ? '' : `::${idType}`);

/**
 * A hash of id, status, touches and configuration in their binary form, which does not depend on a session's settings. Half
 * of a SHA-256: enough to tell rows apart, and PostgreSQL has it without a licence for MD5.
 */
function versionOf(layout: Layout, { columns, textOnly }: TableFacts, touched: string): string {
  if (layout.versionColumn !== undefined) {
    const column = `${identifier(layout.versionColumn)}::text`;
    return layout.mapped ? `concat(${column}, case when ${layout.stopped} then ' stopped' end)` : column;
  }
  const config = layout.config ?? columns.filter((column) => column !== layout.statusColumn).map((column) => identifier(column));
  const parts = config.map((part) => (textOnly.some((column) => identifier(column) === part) ? `${part}::text` : part));
  const row = [`${layout.table}.${identifier(layout.idColumn)}::text`, layout.stopped, `${touched}::bigint`, ...parts];
  return `left(encode(sha256(record_send(row(${row.join(', ')}))), 'hex'), 32)`;
}

function touchOf(layout: Layout, { touches }: TableFacts, one: string, id: string): string | undefined {
  const { table, channel } = layout;
  if (!layout.mapped) {
    const touched = identifier(OWN_TOUCHED_COLUMN);
    return `update ${table} set ${touched} = greatest(${touched} + 1, ${MICROSECONDS}) ${one} returning ${id}::text as "${ID}"`;
  }
  if (touches === undefined) return undefined;
  return `with touched as (
    insert into ${touches} as v (id, version) select distinct ${id}::text, ${MICROSECONDS} from ${table} ${one}
    on conflict (id) do update set version = greatest(v.version + 1, excluded.version) returning v.id)
  select id as "${ID}", pg_notify(${literal(channel)}, json_build_array(id)::text)::text from touched`;
}

/**
 * With the condition, a unique index that covers only the rows alive will do as well as one over all of them. No index has a
 * condition with a subquery, and PostgreSQL refuses to look for one.
 */
const indexCondition = ({ where }: Layout): string => (where === undefined || /\bselect\b/i.test(where) ? '' : ` where ${where}`);

/** Writes one row, whether or not it was there. */
export function upsert(
  layout: Layout,
  queries: Queries,
  row: Readonly<Record<string, unknown>>,
): { text: string; values: unknown[] } {
  const columns = Object.keys(row);
  const values = columns.map((column) => row[column]);
  const names = columns.map((column) => identifier(column));
  // As text, because some drivers encode a jsonb parameter as JSON a second time.
  const own = (column: string): string => (!layout.mapped && column === OWN_DATA_COLUMN ? '::text::jsonb' : '');
  const text =
    `insert into ${layout.table} (${names.join(', ')})`
    + ` values (${columns.map((column, n) => `$${n + 1}${own(column)}`).join(', ')})`
    + ` on conflict (${identifier(layout.idColumn)})${indexCondition(layout)}`
    + ` do update set ${names.map((name) => `${name} = excluded.${name}`).join(', ')} ${queries.returning}`;
  return { text, values };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INTEGER = /^(0|-?[1-9]\d{0,18})$/;

/** Whether a row can have this id. An impossible one would fail the whole query. */
export function isPossibleId({ idForm }: Pick<TableFacts, 'idForm'>, id: unknown): id is string {
  if (typeof id !== 'string' || id === '') return false;
  if (idForm === 'uuid') return UUID.test(id);
  if (idForm === 'integer') return INTEGER.test(id) && BigInt.asIntN(64, BigInt(id)) === BigInt(id);
  // JSON in UTF-8 has neither NUL nor half a character.
  return !/[\0\p{Surrogate}]/u.test(id);
}
