import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mutants, type Mutant } from './mutants.js';
import { campaign } from './simulation/campaign.js';
import type { RegistryClass } from './simulation/run.js';

/*
 * A simulation that never fails proves nothing unless it can. Each mutant is the registry with one deliberate mistake,
 * and is to be found out within so many programs.
 */
const PROGRAMS = { uses: 4_000, webhooks: 1_000 };
const src = fileURLToPath(new URL('../../src', import.meta.url));
let folder = '';

beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'hydrant-mutants-')); });
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the simulation finds out', () => {
  test.each(mutants.map((mutant, index) => [mutant.name, mutant, index] as const))(
    '%s',
    { timeout: 120_000 },
    async (_name, mutant, index) => {
      const Registry = await registryWith(mutant, index);
      const kind = mutant.kind ?? 'uses';
      const findings = await campaign(Registry, { kind, from: 1, count: PROGRAMS[kind], shrinking: false });
      expect(findings, `it survived ${PROGRAMS[kind]} programs`).toHaveLength(1);
    },
  );
});

async function registryWith(mutant: Mutant, index: number): Promise<RegistryClass> {
  const outfile = join(folder, `mutant-${index}.mjs`);
  await build({
    entryPoints: [join(src, 'index.ts')],
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile,
    plugins: [mistake(mutant)],
    logLevel: 'error',
  });
  const { ConnectionRegistry } = (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as {
    ConnectionRegistry: RegistryClass;
  };
  return ConnectionRegistry;
}

/** Changes a place of one file. A place that is not found once is a mutant that has to follow the source. */
function mistake({ file, find, replace, also }: Mutant): Plugin {
  return {
    name: 'mistake',
    setup({ onLoad }) {
      onLoad({ filter: /src[\\/].*\.ts$/ }, async ({ path }) => {
        let contents = await readFile(path, 'utf8');
        if (path === join(src, file)) {
          for (const edit of [{ find, replace }, ...(also === undefined ? [] : [also])]) contents = changed(file, contents, edit);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}

function changed(file: string, text: string, { find, replace }: { find: string; replace: string }): string {
  const places = text.split(find).length - 1;
  if (places !== 1)
    throw new Error(
      `${file} has ${places} places that read ${JSON.stringify(find)}: bring test/properties/mutants.ts up to date`,
    );
  return text.replace(find, () => replace);
}
