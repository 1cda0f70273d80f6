-- The migration of hydrant 0.1.0 for its own table, as it printed it.
set local lock_timeout = 5000;
create table if not exists "hydrant_connections" (
  "id" text primary key,
  "status" text not null default 'active' check ("status" in ('active', 'stopped')),
  "version" bigint not null,
  "data" jsonb not null default '{}'
);
create sequence if not exists "hydrant_connections_hydrant_version_seq" as bigint;
alter sequence "hydrant_connections_hydrant_version_seq" owned by "hydrant_connections"."version";
select setval('"hydrant_connections_hydrant_version_seq"', greatest((select last_value from "hydrant_connections_hydrant_version_seq"), (extract(epoch from clock_timestamp()) * 1000)::bigint));
create or replace function "hydrant_connections_hydrant_version"() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $hydrant0$
declare
  changed boolean := true;
begin
  if tg_op = 'UPDATE' and new."version" is not null then
    execute format('select (select row("id"::text, ("status"::text = ''stopped'') is true, "data"::text) from (select ($1::%1$I.%2$I).*) hydrant) is distinct from (select row("id"::text, ("status"::text = ''stopped'') is true, "data"::text) from (select ($2::%1$I.%2$I).*) hydrant)', tg_table_schema, tg_table_name) into changed using old, new;
  end if;
  if changed then
    new."version" := nextval(format('%s.%I', (select relnamespace::regnamespace from pg_class where oid = coalesce(pg_partition_root(tg_relid), tg_relid)), 'hydrant_connections_hydrant_version_seq')::regclass);
  else
    new."version" := old."version";
  end if;
  return new;
end $hydrant0$;
create or replace trigger zzz_hydrant_version before insert or update on "hydrant_connections" for each row execute function "hydrant_connections_hydrant_version"();
create or replace function "hydrant_connections_hydrant_notify"() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $hydrant0$
declare
  item text;
  payload text := '';
begin
  if tg_op = 'TRUNCATE' then
    perform pg_notify('hydrant_hydrant_connections', '');
  elsif tg_op = 'INSERT' then
    for item in select distinct to_json(id)::text from (select "id"::text as id, "version" as version from after) changed loop
      if octet_length(item) > 7900 then
        perform pg_notify('hydrant_hydrant_connections', '');
      elsif octet_length(payload) + octet_length(item) > 7900 then
        perform pg_notify('hydrant_hydrant_connections', '[' || payload || ']');
        payload := item;
      else
        payload := payload || case when payload = '' then '' else ',' end || item;
      end if;
    end loop;
  elsif tg_op = 'DELETE' then
    for item in select distinct to_json(id)::text from (select "id"::text as id, "version" as version from before) changed loop
      if octet_length(item) > 7900 then
        perform pg_notify('hydrant_hydrant_connections', '');
      elsif octet_length(payload) + octet_length(item) > 7900 then
        perform pg_notify('hydrant_hydrant_connections', '[' || payload || ']');
        payload := item;
      else
        payload := payload || case when payload = '' then '' else ',' end || item;
      end if;
    end loop;
  else
    for item in select distinct to_json(id)::text from ((select "id"::text as id, "version" as version from after except select "id"::text as id, "version" as version from before) union (select "id"::text as id, "version" as version from before except select "id"::text as id, "version" as version from after)) changed loop
      if octet_length(item) > 7900 then
        perform pg_notify('hydrant_hydrant_connections', '');
      elsif octet_length(payload) + octet_length(item) > 7900 then
        perform pg_notify('hydrant_hydrant_connections', '[' || payload || ']');
        payload := item;
      else
        payload := payload || case when payload = '' then '' else ',' end || item;
      end if;
    end loop;
  end if;
  if payload <> '' then
    perform pg_notify('hydrant_hydrant_connections', '[' || payload || ']');
  end if;
  return null;
end $hydrant0$;
create or replace trigger hydrant_notify_insert after insert on "hydrant_connections" referencing new table as after for each statement execute function "hydrant_connections_hydrant_notify"();
create or replace trigger hydrant_notify_update after update on "hydrant_connections" referencing old table as before new table as after for each statement execute function "hydrant_connections_hydrant_notify"();
create or replace trigger hydrant_notify_delete after delete on "hydrant_connections" referencing old table as before for each statement execute function "hydrant_connections_hydrant_notify"();
create or replace trigger hydrant_notify_truncate after truncate on "hydrant_connections"  for each statement execute function "hydrant_connections_hydrant_notify"();
comment on trigger zzz_hydrant_version on "hydrant_connections" is 'hydrant 6da81d19';

