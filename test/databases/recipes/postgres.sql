create table bots (
  id text collate "C" primary key,
  token text not null,
  paused_at timestamptz,
  last_error text,
  rev text not null
);
