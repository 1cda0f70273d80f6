import { DataTypes, Sequelize } from 'sequelize';
import { tableStore } from 'hydrant';
import { sequelizeClient } from 'hydrant/postgres';

interface Bot { id: string; token: string; pausedAt: Date | null; lastError: string | null; rev: string }

export const sequelize = new Sequelize(process.env['DATABASE_URL']!, { logging: false });

export const Bots = sequelize.define('Bot', {
  id: { type: DataTypes.TEXT, primaryKey: true },
  token: { type: DataTypes.TEXT, allowNull: false },
  pausedAt: { type: DataTypes.DATE, field: 'paused_at' },
  lastError: { type: DataTypes.TEXT, field: 'last_error' },
  rev: { type: DataTypes.TEXT, allowNull: false, defaultValue: '' },
}, { tableName: 'bots', timestamps: false });

// `raw: true`: a row, not an instance of the model.
export const read = async (ids: readonly string[]) =>
  await Bots.findAll({ where: { id: [...ids] }, raw: true }) as unknown as Bot[];

export const store = tableStore({
  read,
  status: (row) => (row.pausedAt === null ? 'active' : 'stopped'),
  ignore: ['lastError', 'rev'],
});

// For PostgresStore and PostgresClaims:
export const client = sequelizeClient(sequelize);
