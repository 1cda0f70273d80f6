import { writeFileSync } from 'node:fs';
import { PostgresStore } from 'hydrant/postgres';

const { up, down } = PostgresStore.migrationSql({
  table: 'bots',
  columns: { config: ['token'] },
  stopped: 'paused_at is not null',
  mapRow: (row: { token: string }) => ({ token: row.token }),
});
writeFileSync('hydrant.up.sql', up);
writeFileSync('hydrant.down.sql', down);
