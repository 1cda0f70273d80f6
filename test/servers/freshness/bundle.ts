import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const source = (path: string): string => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url));

/** A change of one source file that takes a guarantee away. It must still find what it replaces. */
export interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The sources as plain JavaScript for processes of their own. Disposing of it removes the folder. */
export async function bundleSources(mutation?: Mutation): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'hydrant-bundle-'));
  const mutate: Plugin = {
    name: 'mutate',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (mutation === undefined || path !== source(mutation.file)) return undefined;
        const text = await readFile(path, 'utf8');
        if (!text.includes(mutation.from)) throw new Error(`${mutation.file} no longer contains: ${mutation.from}`);
        return { contents: text.replace(mutation.from, mutation.to), loader: 'ts' };
      });
    },
  };
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
      plugins: [mutate],
    });
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, [Symbol.asyncDispose]: remove };
}
