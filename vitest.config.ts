import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** Tests import the package by its name and get the source; `test/package` imports what was built and packed. */
const alias = [
  { find: /^hydrant$/, replacement: source('index.ts') },
  { find: /^hydrant\/(node|express|fastify)$/, replacement: source('adapters/$1.ts') },
  { find: /^hydrant\/(postgres|redis)$/, replacement: source('stores/$1/index.ts') },
  { find: /^hydrant\/(exclusive|testing|otel|inspector|chat)$/, replacement: source('$1/index.ts') },
];

export default defineConfig({
  test: {
    // By default vitest leaves one core free, which is half of a machine of two. Many tests wait for servers and processes.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          // Nothing here waits for real time; a loaded machine may still be slow.
          testTimeout: 20_000,
          include: ['test/**/*.test.ts'],
          exclude: ['test/servers/**', 'test/package/**', 'test/frameworks/**', 'test/databases/**', '**/node_modules/**'],
          typecheck: { enabled: true, checker: 'node_modules/ts7/bin/tsc', include: ['test/**/*.test-d.ts'] },
        },
      },
      {
        // No alias: the package is what was built, packed and installed.
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/package/support/global-setup.ts'],
          testTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'servers',
          include: ['test/servers/**/*.test.ts'],
          globalSetup: ['test/servers/support/global-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // A machine that runs every other test at once may stand still for more than the default of one second.
          expect: { poll: { timeout: 15_000 } },
        },
      },
    ],
  },
});
