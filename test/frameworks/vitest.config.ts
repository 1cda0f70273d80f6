import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

/** Apart from the root's projects, because its dependencies are installed apart: `npm ci --prefix test/frameworks`. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^hydrant$/, replacement: source('index.ts') },
      { find: /^hydrant\/(node|express|fastify)$/, replacement: source('adapters/$1.ts') },
      { find: /^hydrant\/(chat|testing)$/, replacement: source('$1/index.ts') },
    ],
  },
  test: {
    root: fileURLToPath(new URL('.', import.meta.url)),
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
