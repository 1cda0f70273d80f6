import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { exercise, EXPECTED } from './support/bots.js';
import { copyOf, installHydrant, run, start } from './support/build.js';

beforeAll(installHydrant);
const NEXT = 'next/dist/bin/next';
const status = async (base: string): Promise<unknown> => (await fetch(`${base}/status`)).json();

test('Next: three bundles share one registry, and SIGTERM closes it and every instance before the process ends', async () => {
  const folder = await copyOf('next-app');
  await run(folder, NEXT, 'build', '--webpack');
  const server = await start(folder, join(folder, 'node_modules', NEXT), ['start', '--hostname', '127.0.0.1'], {
    NEXT_MANUAL_SIG_HANDLE: 'true', NOTICE_MS: '0',
  });
  const outcomes = { app: await exercise(server.base), pages: await exercise(`${server.base}/api`) };
  const after = await status(server.base);
  const parsed = await exercise(`${server.base}/api/parsed`);
  const exitCode = await server.stop();
  const said = server.output();
  const closing = { disposed: said.includes('disposed'), closed: said.includes('registry closed'), exitCode };
  expect(parsed).toMatchObject({ good: { status: 500 } });
  expect(said, 'the failure names the fix').toContain('export const config = { api: { bodyParser: false } }');
  expect({ outcomes, after, closing }).toEqual({
    outcomes: { app: EXPECTED, pages: EXPECTED },
    after: { live: 1, made: 1 },
    closing: { disposed: true, closed: true, exitCode: 0 },
  });
}, 240_000);

test('Next in development: a reload keeps the registry and its instances', async () => {
  const folder = await copyOf('next-app');
  const server = await start(folder, join(folder, 'node_modules', NEXT), ['dev', '--webpack', '--hostname', '127.0.0.1']);
  try {
    expect({ app: await exercise(server.base), pages: await exercise(`${server.base}/api`) })
      .toEqual({ app: EXPECTED, pages: EXPECTED });
    const before = await status(server.base);
    for (const file of ['lib/gateway.mjs', 'app/status/route.js'])
      await edit(join(folder, file), (text) => text.replace('registriesMade', 'registriesMade /* edited */'));
    await edit(join(folder, 'app/status/route.js'), (text) => text.replace('Response.json({', 'Response.json({ reloaded: true,'));
    await expect.poll(() => status(server.base), { timeout: 120_000, interval: 200 }).toMatchObject({ reloaded: true });
    expect({ before, after: await status(server.base), outcome: await exercise(server.base) })
      .toEqual({ before: { live: 1, made: 1 }, after: { reloaded: true, live: 1, made: 1 }, outcome: EXPECTED });
  } finally {
    await server.stop();
  }
}, 240_000);

async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, 'utf8')));
}
