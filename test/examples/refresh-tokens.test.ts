import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres } from '../servers/support/postgres.mjs';
import { example } from './support.js';

const { trial } = await example('refresh-tokens/trial.mjs');
const { withoutLock, withRowLock } = await example('refresh-tokens/tokens.mjs');

let postgres: Awaited<ReturnType<typeof startPostgres>>;
beforeAll(async () => { postgres = await startPostgres(); }, 120_000);
afterAll(() => postgres.stop());

test('examples/refresh-tokens: with a locked row no replica loses its token', async () => {
  expect(await trial(postgres.url, withRowLock, 20)).toEqual({ lockedOut: 0, refreshes: 20, failedUses: 0 });
});

test('examples/refresh-tokens: without it two replicas use a token twice', async () => {
  const { lockedOut } = await trial(postgres.url, withoutLock, 20) as { lockedOut: number };
  expect(lockedOut).toBeGreaterThan(0);
});
