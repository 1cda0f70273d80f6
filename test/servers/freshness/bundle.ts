import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { editing, type SourceEdit } from '../../support/source-edits.js';

const source = (path: string): string => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url));

/** Builds `src`, with these changes, for processes of their own. Disposing of it removes the folder. */
export async function bundleSources(...edits: SourceEdit[]): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'hydrant-bundle-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await build({
      entryPoints: [source('index.ts'), source('stores/postgres/index.ts'), source('stores/redis/index.ts')],
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      outdir: folder,
      outbase: source(''),
      outExtension: { '.js': '.mjs' },
      plugins: [editing(edits)],
    });
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, [Symbol.asyncDispose]: remove };
}
