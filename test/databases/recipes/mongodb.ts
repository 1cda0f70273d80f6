import { MongoClient } from 'mongodb';
import { tableStore } from 'hydrant';

interface Bot { _id: string; token: string; pausedAt: Date | null; lastError: string | null; rev: string }

export const bots = new MongoClient(process.env['MONGODB_URL'] ?? 'mongodb://127.0.0.1').db().collection<Bot>('bots');

export const read = (ids: readonly string[]) =>
  bots.find({ _id: { $in: [...ids] } }, { readPreference: 'primary', readConcern: 'majority' }).toArray();

export const store = tableStore({
  read,
  id: (row) => row._id,
  status: (row) => (row.pausedAt === null ? 'active' : 'stopped'),
  ignore: ['lastError', 'rev'],
});
