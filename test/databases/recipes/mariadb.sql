create table bots (
  id varchar(512) collate utf8mb4_nopad_bin primary key,
  token varchar(1000) not null,
  paused_at datetime(6),
  last_error text,
  rev varchar(36) not null
);
