/** 20 users, two replicas, single-use refresh tokens on a real PostgreSQL. `npm run build` first. */
import { startPostgres } from '../../test/servers/support/postgres.mjs';
import { withoutLock, withRowLock } from './tokens.mjs';
import { trial } from './trial.mjs';

const postgres = await startPostgres();
console.log('without a lock      ', await trial(postgres.url, withoutLock, 20));
console.log('with the row locked ', await trial(postgres.url, withRowLock, 20));
await postgres.stop();
