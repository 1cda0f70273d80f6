import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

type ProjectConfig = NonNullable<TestProjectInlineConfiguration['test']>;

/** Tests import the package by its name and get the source; `test/package` imports what was built and packed. */
const alias = [
  { find: /^hydrant$/, replacement: source('index.ts') },
  { find: /^hydrant\/(node|express|fastify)$/, replacement: source('adapters/$1.ts') },
  { find: /^hydrant\/(postgres|redis)$/, replacement: source('stores/$1/index.ts') },
  { find: /^hydrant\/(exclusive|testing|otel|inspector|chat)$/, replacement: source('$1/index.ts') },
];

/** What takes long, or looks at the memory and the handles of its process. `npm run test:long` runs it, and so does CI. */
export const LONG = [
  'test/docs/api-reference.test.ts',
  'test/examples/{agent-browsers,conformance,fleet,plain-node,tenant-databases}.test.ts',
  'test/fuzz/beside-a-flood.test.ts',
  'test/properties/mutants.test.ts',
  'test/regressions/requests-outlive-their-answer.test.ts',
  'test/soak/**/*.test.ts',
  'test/testing/factory-conformance.test.ts',
];
export const LONG_SERVERS = [
  'test/servers/chat/level.test.ts',
  'test/servers/{demo,fleet,freshness}/**/*.test.ts',
  'test/servers/wire/one-byte-chunks.test.ts',
];
/** What promises a time in milliseconds of real time. It runs when everything else has ended, one file after the other. */
export const LONG_TIMED = ['test/servers/exclusive/chaos-*.test.ts'];

/** The title of a case shows its whole text. By default vitest cuts a `$field` at 40 characters. */
const TITLES: ProjectConfig = { chaiConfig: { truncateThreshold: 200 } };
const UNIT: ProjectConfig = {
  ...TITLES,
  // Nothing here waits for real time; a loaded machine may still be slow.
  testTimeout: 20_000,
};
const SERVERS: ProjectConfig = {
  ...TITLES,
  globalSetup: ['test/servers/support/global-setup.ts'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
  // A machine that runs every other test at once may stand still for more than the default of one second.
  expect: { poll: { timeout: 15_000 } },
};

export default defineConfig({
  test: {
    // By default vitest leaves one core free, which is half of a machine of two. Many tests wait for servers and processes.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        resolve: { alias },
        test: {
          ...UNIT,
          name: 'unit',
          // Importing the source anew for each file would take as long as the tests.
          isolate: false,
          setupFiles: ['test/support/platform-globals.ts'],
          include: ['test/**/*.test.ts'],
          exclude: ['test/{servers,package,frameworks,databases}/**', '**/node_modules/**', ...LONG],
          typecheck: { enabled: true, checker: 'node_modules/ts7/bin/tsc', include: ['test/**/*.test-d.ts'] },
        },
      },
      { resolve: { alias }, test: { ...UNIT, name: 'long', include: LONG } },
      {
        // No alias: the package is what was built, packed and installed.
        test: {
          ...TITLES,
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/package/support/global-setup.ts'],
          testTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: { ...SERVERS, name: 'servers', include: ['test/servers/**/*.test.ts'], exclude: [...LONG_SERVERS, ...LONG_TIMED] },
      },
      { resolve: { alias }, test: { ...SERVERS, name: 'long-servers', include: LONG_SERVERS } },
      {
        resolve: { alias },
        test: { ...SERVERS, name: 'long-timed', include: LONG_TIMED, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
