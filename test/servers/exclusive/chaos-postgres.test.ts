import { afterAll, beforeAll } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { chaosTests } from './chaos-tests.js';

let database: TestDatabase;
beforeAll(async () => { database = await createDatabase(); });
afterAll(() => database[Symbol.asyncDispose]());

chaosTests('postgres', () => database.url);
