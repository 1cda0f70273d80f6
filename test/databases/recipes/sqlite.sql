create table bots (
  id text primary key,
  token text not null,
  paused_at integer,
  last_error text,
  rev text not null
);
