import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The tests of these files and the source they reach, as one function of `require` and `module`, and what it requires. */
export async function bundle(root, files) {
  const { build } = createRequire(join(root, 'package.json'))('esbuild');
  const installed = (path) => join(root, 'node_modules', path);
  const source = (path) => join(root, 'src', path);
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: files
        .map((file) => `enterTestFile(${JSON.stringify(file)}); require(${JSON.stringify(`./${file}`)});`)
        .join('\n'),
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    packages: 'external',
    ignoreAnnotations: true,
    logLevel: 'error',
    alias: {
      // An ES module only, so it cannot be required like the rest.
      'p-limit': installed('p-limit/index.js'),
      'yocto-queue': installed('yocto-queue/index.js'),
      hydrant: source('index.ts'),
      ...Object.fromEntries(['node', 'express', 'fastify'].map((name) => [`hydrant/${name}`, source(`adapters/${name}.ts`)])),
      ...Object.fromEntries(['postgres', 'redis'].map((name) => [`hydrant/${name}`, source(`stores/${name}/index.ts`)])),
      ...Object.fromEntries(
        ['exclusive', 'testing', 'otel', 'inspector', 'chat'].map((name) => [`hydrant/${name}`, source(`${name}/index.ts`)]),
      ),
    },
  });
  const [{ imports }] = Object.values(metafile.outputs);
  return {
    code: `(function (require, module) { const exports = module.exports;\n${outputFiles[0].text}\n})`,
    required: [...new Set(imports.filter(({ kind }) => kind === 'require-call').map(({ path }) => path))],
  };
}
