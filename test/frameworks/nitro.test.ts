import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { exercise, EXPECTED } from './support/bots.js';
import { copyOf, installHydrant, run, start } from './support/build.js';

beforeAll(installHydrant);

test('Nitro: its routes share one registry, and its hook closes it at SIGTERM', async () => {
  const folder = await copyOf('nitro-app');
  await run(folder, 'nitropack/dist/cli/index.mjs', 'build');
  const server = await start(folder, join(folder, '.output/server/index.mjs'), []);
  const outcome = await exercise(server.base);
  const after = await (await fetch(`${server.base}/status`)).json();
  await server.stop();
  expect({ outcome, after, closed: server.output().includes('registry closed') }).toEqual({
    outcome: EXPECTED,
    after: { live: 1, made: 1 },
    closed: true,
  });
}, 240_000);
