import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { exercise, EXPECTED } from './support/bots.js';
import { copyOf, installHydrant, run, start } from './support/build.js';

beforeAll(installHydrant);

test('SvelteKit on Node: one endpoint, and its shutdown closes the registry', async () => {
  const folder = await copyOf('svelte-app');
  await run(folder, 'vite/bin/vite.js', 'build', '--logLevel', 'error');
  const server = await start(folder, join(folder, 'build/index.js'), []);
  const outcome = await exercise(server.base);
  const after = await (await fetch(`${server.base}/status`)).json();
  await server.stop();
  expect({ outcome, after, closed: server.output().includes('registry closed') }).toEqual({
    outcome: EXPECTED,
    after: { live: 1, made: 1 },
    closed: true,
  });
}, 120_000);
