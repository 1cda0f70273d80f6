import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';

/**
 * zod is in both builds, by the functions that are used. Imported from its package, even its smallest entry makes Node
 * load 92 files, 64 of them translations, which takes three times as long as everything else together.
 */
const BUNDLED = ['zod'];
/** ESM only. */
const BUNDLED_IN_COMMONJS = [...BUNDLED, 'p-limit'];

const shared: Options = {
  entry: {
    index: 'src/index.ts',
    node: 'src/adapters/node.ts',
    express: 'src/adapters/express.ts',
    fastify: 'src/adapters/fastify.ts',
    postgres: 'src/stores/postgres/index.ts',
    redis: 'src/stores/redis/index.ts',
    exclusive: 'src/exclusive/index.ts',
    testing: 'src/testing/index.ts',
    otel: 'src/otel/index.ts',
    inspector: 'src/inspector/index.ts',
    chat: 'src/chat/index.ts',
  },
  platform: 'neutral',
  target: 'node20',
  splitting: true,
  treeshake: true,
  // Deno and workerd know Node's modules by their whole name only.
  removeNodeProtocol: false,
  external: [/^node:/],
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
};

export default defineConfig([
  { ...shared, format: 'esm', noExternal: BUNDLED, clean: true },
  {
    ...shared, format: 'cjs', noExternal: BUNDLED_IN_COMMONJS,
    async onSuccess() { writeFileSync('dist/THIRD_PARTY_NOTICES.txt', notices(withDependencies(BUNDLED_IN_COMMONJS))); },
  },
]);

function withDependencies(names: string[]): Set<string> {
  const all = new Set(names);
  for (const name of all) for (const dependency of Object.keys(manifestOf(name).dependencies ?? {})) all.add(dependency);
  return all;
}

function manifestOf(name: string): { version: string; license: string; dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
}

/** The licences of others ask to stand beside every copy of their code. */
function notices(names: Iterable<string>): string {
  const sections = [...names].toSorted().map((name) => {
    const { version, license } = manifestOf(name);
    const file = readdirSync(`node_modules/${name}`).find((path) => /^licen[cs]e(\.|$)/i.test(path));
    if (file === undefined) throw new Error(`${name} is bundled and has no licence file`);
    return `${name} ${version} (${license})\n\n${readFileSync(`node_modules/${name}/${file}`, 'utf8').trim()}\n`;
  });
  return ['The build of hydrant contains code of the following packages. The last but zod are in its CommonJS files only.\n', ...sections].join(`\n${'-'.repeat(80)}\n\n`);
}
