import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { exercise, EXPECTED } from './support/bots.js';
import { copyOf, installHydrant, run, start } from './support/build.js';

beforeAll(installHydrant);
const NEXT = 'next/dist/bin/next';
const status = async (base: string): Promise<unknown> => (await fetch(`${base}/status`)).json();

test('Next: the bundles of several routes share one registry, and SIGTERM closes it', async () => {
  const folder = await copyOf('next-app');
  await run(folder, NEXT, 'build', '--webpack');
  const server = await start(folder, join(folder, 'node_modules', NEXT), ['start', '--hostname', '127.0.0.1']);
  const outcome = await exercise(server.base);
  const after = await status(server.base);
  await server.stop();
  expect({ outcome, after, closed: server.output().includes('registry closed') }).toEqual({
    outcome: EXPECTED,
    after: { live: 1, made: 1 },
    closed: true,
  });
}, 120_000);
