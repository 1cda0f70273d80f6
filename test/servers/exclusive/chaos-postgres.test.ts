import { afterAll, beforeAll } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { chaosTests, controlTest, silenceTest } from './chaos-tests.js';

let database: TestDatabase;
beforeAll(async () => { database = await createDatabase(); });
afterAll(() => database[Symbol.asyncDispose]());

chaosTests('postgres', () => database.url);
silenceTest('postgres', () => database.url);
// With Redis it is part of the long run: node test/servers/exclusive/chaos/run.mjs
controlTest('postgres', () => database.url);
