import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DataTypes, Sequelize } from 'sequelize';
import { DataSource, EntitySchema } from 'typeorm';
import { expect, test } from 'vitest';
import { postgresDatabase } from '../support/postgres.js';
import { ENOUGH_EDITS, serveWhile, type Outcome } from './live-gateway.js';

const NOTHING_WRONG = { failedWrites: [], failedUses: [], missedEdits: [], findings: [] };

/** Fails where the tool has not changed the table, because then nothing was shown. */
async function expectServed({ edits, ...wrong }: Outcome, database: Awaited<ReturnType<typeof postgresDatabase>>): Promise<void> {
  const { rows } = await database.pool.query(
    `select 1 from information_schema.columns where table_name = 'bots' and column_name = 'note'`,
  );
  expect({ tool: rows.length, ...wrong }).toEqual({ tool: 1, ...NOTHING_WRONG });
  expect(edits).toBeGreaterThan(ENOUGH_EDITS);
}

test('drizzle-kit push runs against a live gateway: no failed write, no missed edit', async () => {
  const database = await postgresDatabase();
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const push = () =>
    promisify(execFile)('npx', ['drizzle-kit', 'push', '--force', '--config', 'schema-tools/drizzle.config.ts'], { cwd: folder });
  await expectServed(await serveWhile(database, push), database);
});

test('TypeORM synchronize runs against a live gateway: no failed write, no missed edit', async () => {
  const database = await postgresDatabase();
  const entity = new EntitySchema({
    name: 'Bot',
    tableName: 'bots',
    columns: {
      id: { type: 'text', primary: true, collation: 'C' },
      token: { type: 'text' },
      pausedAt: { type: 'timestamptz', name: 'paused_at', nullable: true },
      lastError: { type: 'text', name: 'last_error', nullable: true },
      rev: { type: 'text' },
      note: { type: 'text', nullable: true },
    },
  });
  const synchronize = async (): Promise<void> => {
    const dataSource = await new DataSource({ type: 'postgres', url: database.url, entities: [entity] }).initialize();
    await dataSource.synchronize();
    await dataSource.destroy();
  };
  await expectServed(await serveWhile(database, synchronize), database);
});

test('Sequelize sync({ alter }) runs against a live gateway: no failed write, no missed edit', async () => {
  const database = await postgresDatabase();
  const sync = async (): Promise<void> => {
    const sequelize = new Sequelize(database.url, { logging: false });
    sequelize.define(
      'Bot',
      {
        id: { type: DataTypes.TEXT, primaryKey: true },
        token: { type: DataTypes.TEXT, allowNull: false },
        pausedAt: { type: DataTypes.DATE, field: 'paused_at' },
        lastError: { type: DataTypes.TEXT, field: 'last_error' },
        rev: { type: DataTypes.TEXT, allowNull: false },
        note: DataTypes.TEXT,
      },
      { tableName: 'bots', timestamps: false },
    );
    await sequelize.sync({ alter: true });
    await sequelize.close();
  };
  await expectServed(await serveWhile(database, sync), database);
});
