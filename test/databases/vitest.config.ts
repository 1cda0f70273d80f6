import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

/** The package is imported by its name, and its source is tested. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: {
    alias: [
      { find: /^hydrant$/, replacement: source('index.ts') },
      { find: /^hydrant\/postgres$/, replacement: source('stores/postgres/index.ts') },
      { find: /^hydrant\/testing$/, replacement: source('testing/index.ts') },
    ],
  },
  test: {
    include: ['**/*.test.ts'],
    globalSetup: ['support/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
