import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { application, entries, manifest } from './support/installed.js';

/** Kilobytes an entry may weigh, minified and gzipped, without its dependencies. It is printed, and only ever lowered. */
const BOUNDS: Record<string, number> = {
  'hydrant': 20.6, 'hydrant/node': 5.6, 'hydrant/express': 6.2, 'hydrant/fastify': 5.9, 'hydrant/postgres': 9.2, 'hydrant/redis': 6, 'hydrant/exclusive': 10, 'hydrant/testing': 9,
  'hydrant/otel': 4, 'hydrant/inspector': 9.5,
};

/** What a bundler makes of a module of the application. */
async function bundled(source: string, { external = [...Object.keys(manifest.dependencies), '@opentelemetry/api'], conditions = [] }: { external?: string[]; conditions?: string[] } = {}) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: application }, bundle: true, minify: true, format: 'esm', platform: 'neutral', target: 'es2022',
    mainFields: ['module', 'main'], external: [...external, 'node:*'], conditions, write: false, metafile: true, logLevel: 'silent',
  });
  const contents = outputFiles[0]?.contents ?? new Uint8Array();
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  return { bytes: contents.byteLength, gzipped: gzipSync(contents, { level: 9 }).byteLength, imports };
}

/** With its dependencies, as a bundler for workerd or a browser sees them. */
const WHOLE = { external: [], conditions: ['workerd', 'worker', 'browser'] };

describe('size', () => {
  test.each(entries)('$name', async ({ name }) => {
    const { bytes, gzipped } = await bundled(`export * from '${name}'`);
    const bound = BOUNDS[name];
    process.stdout.write(`${name.padEnd(20)} ${(gzipped / 1000).toFixed(1).padStart(5)} kB min+gz, bound ${bound} (${(bytes / 1000).toFixed(1)} kB min)\n`);
    if (bound === undefined) throw new Error(`say in this test what ${name} may weigh`);
    expect(gzipped / 1000).toBeLessThanOrEqual(bound);
  });

  test('the root entry and its dependencies are bundled without a module of Node, under the conditions of workerd and of browsers', async () => {
    const { imports, gzipped } = await bundled("export * from 'hydrant'", WHOLE);
    expect(imports).toEqual([]);
    process.stdout.write(`hydrant, with zod and all: ${(gzipped / 1000).toFixed(1)} kB min+gz\n`);
    // `import { z }` instead of `import * as z` would make it 70 kB more.
    expect(gzipped / 1000).toBeLessThanOrEqual(60);
  });
});

describe('tree-shaking: who takes a part pays for that part', () => {
  test.each([['isConnectionError', 0.4], ['ConnectionError', 0.7], ['MemoryStore', 1]])('%s weighs at most %d kB, with whatever it brings along', async (name, bound) => {
    const { gzipped } = await bundled(`export { ${name} } from 'hydrant'`, WHOLE);
    expect(gzipped / 1000).toBeLessThanOrEqual(bound);
  });

  test('an import whose names are not used leaves nothing', async () => {
    for (const { name } of entries) {
      const { bytes, imports } = await bundled(`import '${name}'; export const nothing = 1`);
      expect([name, bytes < 60, imports]).toEqual([name, true, []]);
    }
  });
});
