-- The migration of hydrant 0.1.0 for claims, as it printed it.
create table if not exists "hydrant_claims" (
  connection_id text collate "C" primary key,
  owner text,
  token bigint not null,
  expires_at timestamptz not null,
  offered_to text,
  withheld_from text,
  offer_until timestamptz,
  notes text
) with (fillfactor = 50);
create index if not exists "hydrant_claims_owner_idx" on "hydrant_claims" (owner) where owner is not null;
create table if not exists "hydrant_claims_replicas" (replica text collate "C" primary key, load integer not null, expires_at timestamptz not null) with (fillfactor = 50);
create sequence if not exists "hydrant_claims_token_seq" as bigint;
alter sequence "hydrant_claims_token_seq" owned by "hydrant_claims".token;
select setval('"hydrant_claims_token_seq"', greatest((select last_value from "hydrant_claims_token_seq"), (extract(epoch from clock_timestamp()) * 1000)::bigint));
comment on table "hydrant_claims" is 'hydrant 03acc425';

