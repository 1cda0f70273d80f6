import { ConnectionError } from '../../errors.js';
import { qualified } from './layout.js';
import { script, type MigrationSql } from './migration.js';
import { byteLength, derivedName, dollarQuoted, fingerprint, literal } from './quoting.js';

/** Where claims are kept, and every statement that touches them. Ids and tokens travel as JSON: any driver takes text. */
export interface ClaimsSql extends MigrationSql {
  /** The migration as one statement that does nothing when there is nothing to do. */
  readonly once: string;
  readonly renew: string;
  readonly claim: string;
  readonly release: string;
  readonly channel: string;
}

const MAX_IDENTIFIER_BYTES = 63;
const MILLISECONDS = `* interval '1 millisecond'`;
const NOW = 'clock_timestamp()';

/** @throws ConnectionError `INVALID_OPTIONS` when `table` is no name */
export function claimsSql(table: unknown): ClaimsSql {
  const parts = typeof table === 'string' ? table.split('.') : [];
  if (parts.length < 1 || parts.length > 2 || parts.some((part) => part === '' || part.includes('\0') || byteLength(part) > MAX_IDENTIFIER_BYTES)) {
    throw new ConnectionError('INVALID_OPTIONS', `PostgresClaims: table: expected 'table' or 'schema.table', got ${typeof table === 'string' ? JSON.stringify(table.slice(0, 100)) : typeof table}`);
  }
  const name = parts.at(-1)!;
  const schema = parts.length === 2 ? parts[0] : undefined;
  const claims = qualified(schema, name);
  const replicas = qualified(schema, derivedName(name, '_replicas'));
  const sequence = qualified(schema, derivedName(name, '_token_seq'));
  const channel = derivedName(`hydrant_${name}`, '');
  return { ...migration(claims, replicas, sequence, qualified(undefined, derivedName(name, '_owner_idx'))), channel,
    renew: renewal(claims, replicas), claim: takeover(claims, sequence), release: giveBack(claims, replicas, channel) };
}

function migration(claims: string, replicas: string, sequence: string, index: string): Pick<ClaimsSql, 'up' | 'down' | 'once'> {
  const steps = [
    // Half empty pages, and no index on what a renewal changes: a renewal writes no index and leaves nothing to vacuum.
    `create table if not exists ${claims} (
  connection_id text collate "C" primary key,
  owner text,
  token bigint not null,
  expires_at timestamptz not null,
  offered_to text,
  withheld_from text,
  offer_until timestamptz,
  notes text
) with (fillfactor = 50)`,
    `create index if not exists ${index} on ${claims} (owner) where owner is not null`,
    `create table if not exists ${replicas} (replica text collate "C" primary key, load integer not null, expires_at timestamptz not null) with (fillfactor = 50)`,
    `create sequence if not exists ${sequence} as bigint`,
    `alter sequence ${sequence} owned by ${claims}.token`,
    // Never below the time in milliseconds: a sequence that is dropped and created again does not repeat itself.
    `select setval(${literal(sequence)}, greatest((select last_value from ${sequence}), (extract(epoch from ${NOW}) * 1000)::bigint))`,
  ];
  const mark = `hydrant ${fingerprint(steps.join('\n'))}`;
  const marked = [...steps, `comment on table ${claims} is ${literal(mark)}`];
  return {
    up: script(marked),
    down: script([`drop table ${replicas}`, `drop table ${claims}`]),
    once: `do ${dollarQuoted(`
begin
  perform pg_advisory_xact_lock(hashtextextended('hydrant.migrate', 0));
  if obj_description(to_regclass(${literal(claims)}), 'pg_class') = ${literal(mark)} then return; end if;
  ${script(marked.map((step) => step.replace(/^select /, 'perform ')))}
end `)}`,
  };
}

/**
 * $1 replica, $2 ttl, $3 whether a member, $4 load, $5 what it holds. Rows that somebody is just taking or giving back
 * are skipped rather than waited for: they are neither renewed nor lost, and are asked for again.
 */
const renewal = (claims: string, replicas: string): string => `
with held as materialized (
  select id, token, notes from json_to_recordset($5::json) as h(id text, token bigint, notes text)
), beat as (
  insert into ${replicas} as r (replica, load, expires_at)
  select $1, $4::integer, ${NOW} + $2::float8 ${MILLISECONDS} where $3::boolean
  on conflict (replica) do update set load = excluded.load, expires_at = excluded.expires_at
), gone as (
  delete from ${replicas} where replica in (
    select replica from ${replicas} where expires_at < ${NOW} - interval '1 day' limit 10 for update skip locked)
), mine as (
  select c.connection_id as id, h.notes
  from ${claims} c join held h on c.connection_id = h.id and c.token = h.token
  where c.owner = $1 and c.expires_at > ${NOW}
  order by 1 for update of c skip locked
), renewed as (
  update ${claims} c set expires_at = ${NOW} + $2::float8 ${MILLISECONDS}, notes = coalesce(m.notes, c.notes)
  from mine m where c.connection_id = m.id
  returning c.connection_id as id
)
select 'renewed' as kind, id, null as value from renewed
union all
select 'lost', h.id, null from held h left join ${claims} c on c.connection_id = h.id
where c.connection_id is null or c.token <> h.token or c.owner is distinct from $1 or c.expires_at <= ${NOW}
union all
select 'stray', c.connection_id, c.token::text from ${claims} c
where c.owner = $1 and c.expires_at > ${NOW} and not exists (select from held h where h.id = c.connection_id)
union all
select 'member', r.replica, r.load::text from ${replicas} r where r.expires_at > ${NOW} and r.replica <> $1`;

/**
 * $1 replica, $2 ttl, $3 ids, $4 limit, $5 for how long free. `nextval` stands where the row is already locked, so a
 * connection's tokens rise in the order of its owners; and they rise even if the sequence was set back.
 */
const takeover = (claims: string, sequence: string): string => `
with wanted as materialized (
  select id, place from json_array_elements_text($3::json) with ordinality as w(id, place)
), free as (
  select c.connection_id as id
  from ${claims} c join wanted w on w.id = c.connection_id
  where c.expires_at <= ${NOW} - $5::float8 ${MILLISECONDS}
    and (c.offer_until is null or c.offer_until <= ${NOW}
      or ((c.offered_to is null or c.offered_to = $1) and c.withheld_from is distinct from $1))
  order by (c.offered_to = $1 and c.offer_until > ${NOW}) is true desc, w.place
  limit $4::integer for update of c skip locked
), taken as (
  update ${claims} c set owner = $1, token = greatest(c.token + 1, nextval(${literal(sequence)})),
    expires_at = ${NOW} + $2::float8 ${MILLISECONDS}, offered_to = null, withheld_from = null, offer_until = null
  from free f where c.connection_id = f.id and c.expires_at <= ${NOW}
  returning c.connection_id as id, c.token, c.notes
), unseen as (
  select w.id from wanted w where not exists (select from ${claims} c where c.connection_id = w.id)
  order by w.place limit greatest(0, $4::integer - (select count(*) from free))
), entered as (
  insert into ${claims} (connection_id, owner, token, expires_at)
  select u.id, $1, nextval(${literal(sequence)}), ${NOW} + $2::float8 ${MILLISECONDS}
  from (select id from unseen order by id) u
  on conflict (connection_id) do nothing
  returning connection_id as id, token, notes
)
select id, token::text as token, notes from taken union all select id, token::text, notes from entered`;

/** $1 replica, $2 claims, $3 whether it leaves, $4 what to tell the watchers. Rows stay: their tokens must not repeat. */
const giveBack = (claims: string, replicas: string, channel: string): string => `
with given as materialized (
  select id, token, notes, "to", "notTo", "forMs"
  from json_to_recordset($2::json) as g(id text, token bigint, notes text, "to" text, "notTo" text, "forMs" float8)
), released as (
  update ${claims} c set owner = null, expires_at = least(c.expires_at, ${NOW}), notes = coalesce(g.notes, c.notes),
    offered_to = g."to", withheld_from = g."notTo", offer_until = ${NOW} + g."forMs" ${MILLISECONDS}
  from given g where c.connection_id = g.id and c.token = g.token and c.owner = $1
  returning 1
), gone as (
  delete from ${replicas} where replica = $1 and $3::boolean returning 1
)
select pg_notify(${literal(channel)}, $4) where exists (select from released) or exists (select from gone)`;
