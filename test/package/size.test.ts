import { statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { application, entries, files, installed } from './support/installed.js';

/** Kilobytes of the root entry with all its dependencies, minified and gzipped. The goal of the design is 35. */
const ROOT_BOUND = 37.5;

/** Kilobytes that an entry adds to an application that has the root entry. Printed. */
const ADDED: Record<string, number> = {
  'hydrant/node': 4.2,
  'hydrant/express': 5.1,
  'hydrant/fastify': 5.3,
  'hydrant/postgres': 16.9,
  'hydrant/redis': 7.1,
  'hydrant/exclusive': 10.5,
  'hydrant/testing': 10.7,
  'hydrant/otel': 2.9,
  'hydrant/inspector': 7.9,
  'hydrant/chat': 3.6,
};

/** Kilobytes of everything in the tarball, on the disk of its user. */
const UNPACKED_BOUND = 1_690;

/** The bundle of a module of the application. */
async function bundled(
  source: string,
  { external = ['@opentelemetry/api', 'chat'], conditions = [] }: { external?: string[]; conditions?: string[] } = {},
) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: application },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    mainFields: ['module', 'main'],
    external: [...external, 'node:*'],
    conditions,
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const contents = outputFiles[0]?.contents ?? new Uint8Array();
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  return { bytes: contents.byteLength, gzipped: gzipSync(contents, { level: 9 }).byteLength, imports };
}

const kilobytes = async (source: string): Promise<number> => (await bundled(source)).gzipped / 1000;

/** The settings of a bundler for workerd or a browser. */
const WHOLE = { external: [], conditions: ['workerd', 'worker', 'browser'] };

describe('size', () => {
  test.each(entries.filter(({ name }) => name !== 'hydrant'))('$name, beside the root entry', async ({ name }) => {
    const bound = ADDED[name];
    if (bound === undefined) throw new Error(`say in this test what ${name} may weigh`);
    const added =
      (await kilobytes(`export * from 'hydrant'; export * as more from '${name}'`))
      - (await kilobytes("export * from 'hydrant'"));
    process.stdout.write(`${name.padEnd(20)} adds ${added.toFixed(1).padStart(4)} kB min+gz to the root entry, bound ${bound}\n`);
    expect(added).toBeLessThanOrEqual(bound);
  });

  test('the root entry with its dependencies, bundled for workerd and browsers without a module of Node', async () => {
    const { imports, bytes, gzipped } = await bundled("export * from 'hydrant'", WHOLE);
    process.stdout.write(
      `hydrant with all its dependencies: ${(gzipped / 1000).toFixed(1)} kB min+gz, bound ${ROOT_BOUND} `
        + `(${(bytes / 1000).toFixed(1)} kB min)\n`,
    );
    expect(imports).toEqual([]);
    expect(gzipped / 1000).toBeLessThanOrEqual(ROOT_BOUND);
  });

  test('unpacked', () => {
    const unpacked = files.reduce((sum, file) => sum + statSync(join(installed, file)).size, 0) / 1000;
    process.stdout.write(`${files.length} files, ${unpacked.toFixed(0)} kB unpacked, bound ${UNPACKED_BOUND}\n`);
    expect(unpacked).toBeLessThanOrEqual(UNPACKED_BOUND);
  });
});

describe('tree-shaking: a partial import costs only its part', () => {
  test.each([
    { name: 'isConnectionError', bound: 0.4 },
    { name: 'ConnectionError', bound: 0.7 },
    { name: 'MemoryStore', bound: 1 },
  ])('$name weighs at most $bound kB, with whatever it brings along', async ({ name, bound }) => {
    const { gzipped } = await bundled(`export { ${name} } from 'hydrant'`, WHOLE);
    expect(gzipped / 1000).toBeLessThanOrEqual(bound);
  });

  test('an import whose names are not used leaves nothing', async () => {
    for (const { name } of entries) {
      const { bytes, imports } = await bundled(`import '${name}'; export const nothing = 1`);
      expect({ name, isSmall: bytes < 60, imports }).toEqual({ name, isSmall: true, imports: [] });
    }
  });
});
