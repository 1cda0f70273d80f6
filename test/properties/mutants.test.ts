import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { editing, type SourceEdit } from '../support/source-edits.js';
import { mutants, type Mutant } from './mutants.js';
import { campaign } from './simulation/campaign.js';
import type { RegistryClass } from './simulation/run.js';

/*
 * A simulation that finds nothing proves nothing unless it can find something. Each mutant is the registry with one
 * deliberate mistake. The simulation must detect it within this many programs.
 */
const PROGRAMS = { uses: 4_000, webhooks: 1_000 };
let folder = '';

beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'hydrant-mutants-')); });
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the simulation detects', () => {
  test.each(mutants)('$name', { timeout: 300_000 }, async (mutant) => {
    const Registry = await registryWith(mutant);
    const kind = mutant.kind ?? 'uses';
    const count = mutant.programs ?? PROGRAMS[kind];
    const findings = await campaign(Registry, { kind, from: 1, count, shrinking: false });
    expect(findings, `it survived ${count} programs`).toHaveLength(1);
  });
});

async function registryWith(mutant: Mutant): Promise<RegistryClass> {
  const { in: name, find, replace, also } = mutant;
  const outfile = join(folder, `mutant-${mutants.indexOf(mutant)}.mjs`);
  const edits: SourceEdit[] = [{ in: name, find, replace }, ...(also === undefined ? [] : [{ in: name, ...also }])];
  await build({
    entryPoints: [fileURLToPath(new URL('../../src/index.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile,
    plugins: [editing(edits)],
    logLevel: 'error',
  });
  const { ConnectionRegistry } = (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as {
    ConnectionRegistry: RegistryClass;
  };
  return ConnectionRegistry;
}
