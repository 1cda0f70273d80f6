import { DataSource, EntitySchema, In } from 'typeorm';
import { tableStore } from 'hydrant';
import { typeormClient } from 'hydrant/postgres';

interface Bot { id: string; token: string; pausedAt: Date | null; lastError: string | null; rev: string }

export const Bot = new EntitySchema<Bot>({
  name: 'Bot',
  tableName: 'bots',
  columns: {
    id: { type: 'text', primary: true },
    token: { type: 'text' },
    pausedAt: { type: 'timestamptz', name: 'paused_at', nullable: true },
    lastError: { type: 'text', name: 'last_error', nullable: true },
    rev: { type: 'text', default: '' },
  },
});

export const dataSource = await new DataSource({
  type: 'postgres',
  url: process.env['DATABASE_URL']!,
  entities: [Bot],
}).initialize();

export const read = (ids: readonly string[]) => dataSource.getRepository(Bot).findBy({ id: In(ids) });

export const store = tableStore({
  read,
  status: (row) => (row.pausedAt === null ? 'active' : 'stopped'),
  ignore: ['lastError', 'rev'],
});

// For PostgresStore and PostgresClaims:
export const client = typeormClient(dataSource);
