-- Enough for tableStore, and for PostgresStore with versions: 'hash'.
create role bots_reader login;
grant select on bots to bots_reader;

-- Runs migrate() for versions: 'table'. It needs to own no table.
create role bots_migrator login;
grant select, trigger on bots to bots_migrator with grant option;
grant create on database gateway to bots_migrator;
