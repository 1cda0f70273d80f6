import { quote, unexpected } from '../../checks.js';
import { hasKey } from './catalogue.js';
import { qualified } from './layout.js';
import { migrationBy, type Migration } from './migration.js';
import type { MigrationParts } from './migration-parts.js';
import { byteLength, derivedName, literal } from './quoting.js';

/** The tables of claims, and all statements on them. Ids and tokens travel as JSON text, which every driver accepts. */
export interface ClaimsSql {
  readonly migration: (lockTimeoutMs: number) => Migration;
  readonly renew: string;
  readonly claim: string;
  readonly release: string;
  readonly forget: string;
  readonly channel: string;
}

const MAX_IDENTIFIER_BYTES = 63;
const MILLISECONDS = `* interval '1 millisecond'`;
const NOW = 'clock_timestamp()';
/** Whether the claim `c` is offered to the asking replica, $1. */
const OFFERED = `(c.offered_to = $1::text and c.offer_until > ${NOW}) is true`;
/** The greatest token. */
const LAST_TOKEN = '9223372036854775807';

/** @throws ConnectionError `INVALID_OPTIONS` when `table` is no name */
export function claimsSql(table: unknown): ClaimsSql {
  const parts = typeof table === 'string' ? table.split('.') : [];
  const isName = (part: string): boolean => part !== '' && !part.includes('\0') && byteLength(part) <= MAX_IDENTIFIER_BYTES;
  if (parts.length < 1 || parts.length > 2 || !parts.every(isName)) {
    throw unexpected('PostgresClaims: table', `'table' or 'schema.table'`, quote(table));
  }
  const name = parts.at(-1)!;
  const schema = parts.length === 2 ? parts[0] : undefined;
  const claims = qualified(schema, name);
  const replicas = qualified(schema, derivedName(name, '_replicas'));
  const channel = derivedName(`hydrant_${name}`, '');
  const sequence = qualified(schema, derivedName(name, '_token_seq'));
  const index = derivedName(name, '_owner_idx');
  return {
    migration: (lockTimeoutMs) => migrationBy(migrationParts({ claims, replicas, sequence, schema, index }), lockTimeoutMs),
    channel,
    renew: renewal(claims, replicas), claim: takeover(claims, replicas, sequence), release: giveBack(claims, replicas, channel),
    forget: forgetting(claims, sequence),
  };
}

const CLAIMS_COLUMNS = {
  connection_id: 'text collate "C" primary key', owner: 'text', token: 'bigint not null', expires_at: 'timestamptz not null',
  offered_to: 'text', withheld_from: 'text', offer_until: 'timestamptz', notes: 'text',
};
const REPLICAS_COLUMNS = {
  replica: 'text collate "C" primary key',
  load: 'integer not null',
  expires_at: 'timestamptz not null',
  ttl_ms: 'float8',
};

/** The first column. */
const keyOf = (columns: object): string => Object.keys(columns)[0] as string;

interface Names {
  readonly claims: string;
  readonly replicas: string;
  readonly sequence: string;
  readonly schema: string | undefined;
  readonly index: string;
}

function migrationParts({ claims, replicas, sequence, schema, index }: Names): MigrationParts {
  const keyed = (table: string, columns: object): string => hasKey(`to_regclass(${literal(table)})`, keyOf(columns));
  const missing = (table: string, columns: object): string => `
    select 'table ' || ${literal(table)}, 'missing' where to_regclass(${literal(table)}) is null
    union all select format('column %I of %s', name, ${literal(table)}), 'missing'
      from unnest(array[${Object.keys(columns).map(literal).join(', ')}]) name
      where to_regclass(${literal(table)}) is not null and not exists (
        select from pg_attribute where attrelid = to_regclass(${literal(table)}) and attname = name and not attisdropped)
    union all select 'primary key of ' || ${literal(table)}, 'missing'
      where to_regclass(${literal(table)}) is not null and not ${keyed(table, columns)}`;
  // Half empty pages, and no index on what a renewal changes: a renewal writes no index and leaves nothing to vacuum.
  const make = (table: string, columns: object): string => `create table if not exists ${table} (${Object.entries(columns)
    .map(([name, type]) => `${name} ${type as string}`)
    .join(', ')}) with (fillfactor = 50);
  ${Object.entries(columns)
    .map(([name, type]) => `alter table ${table} add column if not exists ${name} ${(type as string).replace(' not null', '')};`)
    .join('\n  ')}
  if not ${keyed(table, columns)} then alter table ${table} add primary key (${keyOf(columns)}); end if;`;
  const quotedIndex = qualified(schema, index);
  // The sequence never begins below the time in milliseconds: dropped and created again, it does not repeat itself.
  return {
    declare: 'nothing boolean;',
    findings: `select object, problem from (${missing(claims, CLAIMS_COLUMNS)} union all ${missing(replicas, REPLICAS_COLUMNS)}
    union all select 'sequence ' || ${literal(sequence)}, 'missing' where to_regclass(${literal(sequence)}) is null
    union all select 'index ' || ${literal(quotedIndex)}, 'missing' where to_regclass(${literal(quotedIndex)}) is null
    ) found(object, problem)`,
    up: `
  ${make(claims, CLAIMS_COLUMNS)}
  create index if not exists ${qualified(undefined, index)} on ${claims} (owner) where owner is not null;
  ${make(replicas, REPLICAS_COLUMNS)}
  create sequence if not exists ${sequence} as bigint;
  alter sequence ${sequence} owned by ${claims}.token;
  perform setval(${literal(sequence)}, greatest((select last_value from ${sequence}),
    (extract(epoch from ${NOW}) * 1000)::bigint));`,
    down: `
  drop table if exists ${replicas};
  drop table if exists ${claims};`,
  };
}

/**
 * $1 replica, $2 ttl, $3 whether a member, $4 load, $5 its claims. Rows that another query has locked are skipped. They
 * are neither renewed nor lost, and the replica asks for them again.
 */
const renewal = (claims: string, replicas: string): string => `
with held as materialized (
  select id, token, notes from json_to_recordset($5::text::json) as h(id text, token bigint, notes text)
), beat as (
  insert into ${replicas} as r (replica, load, expires_at, ttl_ms)
  select $1::text, $4::text::integer, ${NOW} + $2::text::float8 ${MILLISECONDS}, $2::text::float8 where $3::text::boolean
  on conflict (replica) do update set load = excluded.load, expires_at = excluded.expires_at, ttl_ms = excluded.ttl_ms
), gone as (
  delete from ${replicas} where replica in (
    select replica from ${replicas} where expires_at < ${NOW} - interval '1 day' limit 10 for update skip locked)
), clamped as (
  update ${replicas} r set expires_at = ${NOW} + r.ttl_ms ${MILLISECONDS}
  from (select replica from ${replicas} where replica <> $1::text and expires_at > ${NOW} + ttl_ms ${MILLISECONDS}
    for update skip locked) early
  where r.replica = early.replica
), mine as (
  select c.connection_id as id, h.notes
  from ${claims} c join held h on c.connection_id = h.id and c.token = h.token
  where c.owner = $1::text and c.expires_at > ${NOW}
  order by 1 for update of c skip locked
), renewed as (
  update ${claims} c set expires_at = ${NOW} + $2::text::float8 ${MILLISECONDS}, notes = coalesce(m.notes, c.notes)
  from mine m where c.connection_id = m.id
  returning c.connection_id as id
)
select 'renewed' as kind, id, null as value from renewed
union all
select 'lost', h.id, null from held h left join ${claims} c on c.connection_id = h.id
where c.connection_id is null or c.token <> h.token or c.owner is distinct from $1::text or c.expires_at <= ${NOW}
union all
select 'stray', c.connection_id, c.token::text from ${claims} c
where c.owner = $1::text and c.expires_at > ${NOW} and not exists (select from held h where h.id = c.connection_id)
union all
select 'member', r.replica, r.load::text from ${replicas} r where r.expires_at > ${NOW} and r.replica <> $1::text`;

/**
 * $1 replica, $2 ttl, $3 ids, $4 limit, $5 for how long free. `nextval` is called while the row is locked, so a
 * connection's tokens rise in the order of its owners, even after the sequence was set back. A row with the greatest
 * bigint as its token is skipped, because its error would fail the whole query.
 *
 * `early` has the rows from the future, which exist after the server's clock was set back. A claim is shortened to its
 * owner's TTL from now. A living owner renews long before that. A released row is free at once.
 */
const takeover = (claims: string, replicas: string, sequence: string): string => `
with wanted as materialized (
  select id, place from json_array_elements_text($3::text::json) with ordinality as w(id, place)
), early as (
  select c.connection_id as id, case when c.owner is null then ${NOW} else ${NOW} + r.ttl_ms ${MILLISECONDS} end as expires_at,
    case when c.owner is null then ${NOW} + (c.offer_until - c.expires_at) end as offer_until
  from ${claims} c join wanted w on w.id = c.connection_id left join ${replicas} r on r.replica = c.owner
  where c.expires_at > ${NOW} + coalesce(r.ttl_ms, 0) ${MILLISECONDS} and (c.owner is null or r.ttl_ms is not null)
  order by 1 for update of c skip locked
), clamped as (
  update ${claims} c set expires_at = e.expires_at, offer_until = e.offer_until from early e where c.connection_id = e.id
), free as (
  select c.connection_id as id
  from ${claims} c join wanted w on w.id = c.connection_id
  where c.expires_at <= ${NOW} and c.token < ${LAST_TOKEN}
    and (${OFFERED} or c.expires_at <= ${NOW} - $5::text::float8 ${MILLISECONDS}
      and (c.offer_until is null or c.offer_until <= ${NOW}
        or (c.offered_to is null and c.withheld_from is distinct from $1::text)))
  order by ${OFFERED} desc, w.place
  limit $4::text::integer for update of c skip locked
), taken as (
  update ${claims} c set owner = $1::text, token = greatest(c.token + 1, nextval(${literal(sequence)})),
    expires_at = ${NOW} + $2::text::float8 ${MILLISECONDS}, offered_to = null, withheld_from = null, offer_until = null
  from free f where c.connection_id = f.id and c.expires_at <= ${NOW}
  returning c.connection_id as id, c.token, c.notes
), unseen as (
  select w.id from wanted w where not exists (select from ${claims} c where c.connection_id = w.id)
  order by w.place limit greatest(0, $4::text::integer - (select count(*) from free))
), entered as (
  insert into ${claims} (connection_id, owner, token, expires_at)
  select u.id, $1::text, nextval(${literal(sequence)}), ${NOW} + $2::text::float8 ${MILLISECONDS}
  from (select id from unseen order by id) u
  on conflict (connection_id) do nothing
  returning connection_id as id, token, notes
)
select id, token::text as token, notes from taken union all select id, token::text, notes from entered`;

/** $1 replica, $2 claims, $3 whether it leaves, $4 the hint. Rows stay, because their tokens must not repeat. */
const giveBack = (claims: string, replicas: string, channel: string): string => `
with given as materialized (
  select id, token, notes, "to", "notTo", "forMs"
  from json_to_recordset($2::text::json) as g(id text, token bigint, notes text, "to" text, "notTo" text, "forMs" float8)
), released as (
  update ${claims} c set owner = null, expires_at = least(c.expires_at, ${NOW}), notes = coalesce(g.notes, c.notes),
    offered_to = g."to", withheld_from = g."notTo", offer_until = ${NOW} + g."forMs" ${MILLISECONDS}
  from given g where c.connection_id = g.id and c.token = g.token and c.owner = $1::text
  returning 1
), gone as (
  delete from ${replicas} where replica = $1::text and $3::text::boolean returning 1
)
select pg_notify(${literal(channel)}, $4::text)::text where exists (select from released) or exists (select from gone)`;

/**
 * Deletes rows whose claims expired long ago, a hundred at a time in the order of ids. $1 for how long to remember, $2
 * the last id that was looked at. A row whose token is above the last one of the sequence stays, because the next token
 * would not be above it.
 */
const forgetting = (claims: string, sequence: string): string => `
with looked as materialized (
  select connection_id as id from ${claims} where connection_id > $2::text order by connection_id limit 100
), old as (
  select c.connection_id as id from ${claims} c join looked l on l.id = c.connection_id
  where c.expires_at < ${NOW} - $1::text::float8 ${MILLISECONDS}
    and c.token <= coalesce(pg_sequence_last_value(${literal(sequence)}::regclass), 0)
  order by 1 for update of c skip locked
), forgotten as (
  delete from ${claims} c using old o where c.connection_id = o.id
)
select max(id) as last, count(*)::text as looked from looked`;
