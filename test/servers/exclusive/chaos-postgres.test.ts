import { databaseForTests } from '../support/databases.js';
import { chaosTests, controlTest, silenceTest } from './chaos-tests.js';

const database = databaseForTests();

chaosTests('postgres', () => database.url);
silenceTest('postgres', () => database.url);
// With Redis it is part of the long run: node test/servers/exclusive/chaos/run.mjs
controlTest('postgres', () => database.url);
