import { tableStore } from 'hydrant';
import { read } from './drizzle.js';

export const store = tableStore({
  read,
  status: (row) => (row.pausedAt === null ? 'active' : 'stopped'),
  version: (row) => row.rev,
});
