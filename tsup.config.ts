import { defineConfig, type Options } from 'tsup';

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
  },
  platform: 'neutral',
  target: 'node20',
  splitting: true,
  treeshake: true,
  sourcemap: true,
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
};

export default defineConfig([
  { ...shared, format: 'esm', clean: true },
  // p-limit is ESM only: the CommonJS build carries it.
  { ...shared, format: 'cjs', noExternal: ['p-limit'] },
]);
