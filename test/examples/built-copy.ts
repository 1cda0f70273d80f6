import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import tsup from '../../tsup.config.js';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The package and its examples in a folder of their own, so that the name `hydrant` leads to JavaScript built a moment
 * ago and nobody else's build is in the way. (What is published is tested in `test/package` and `test/runtimes`.)
 */
export async function builtCopy(): Promise<string> {
  mkdirSync(`${ROOT}node_modules/.cache`, { recursive: true });
  const copy = mkdtempSync(`${ROOT}node_modules/.cache/examples-`);
  for (const path of ['package.json', 'examples', 'test/servers/support'])
    cpSync(`${ROOT}${path}`, `${copy}/${path}`, { recursive: true });
  const [config] = tsup as [{ entry: Record<string, string> }];
  await build({
    absWorkingDir: ROOT, entryPoints: config.entry, outdir: `${copy}/dist`,
    bundle: true, splitting: true, format: 'esm', packages: 'external', target: 'node20', logLevel: 'silent',
  });
  return copy;
}
