import { groupOf } from './groups.mjs';

const name = process.env.MUTATION_GROUP;

export default {
  testRunner: 'in-process',
  plugins: ['./test/mutation/runner.mjs', './test/mutation/texts.mjs'],
  // The texts of errors tell people what to do; a test that spells them out would only repeat them. Their codes are not ignored.
  ignorers: ['texts'],
  mutate: groupOf(name).mutate,
  ignorePatterns: [
    '**', '!src/**', '!test/**', '!examples/**', '!package.json', '!tsconfig.json',
    'test/*/node_modules', 'examples/*/node_modules',
  ],
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env.MUTATION_CONCURRENCY ?? 1),
  // The runner detects tests that hang. On a busy machine a time-out would also end slow tests.
  timeoutMS: 120_000,
  timeoutFactor: 4,
  dryRunTimeoutMinutes: 60,
  maxTestRunnerReuse: 400,
  testRunnerNodeArgs: ['--max-old-space-size=1024'],
  // The second pass, and a run after tests were added, judge again only what survived.
  incremental: true,
  incrementalFile: `reports/mutation/${name}-incremental.json`,
  reporters: ['progress-append-only', 'json', 'html'],
  jsonReporter: { fileName: `reports/mutation/${name}.json` },
  htmlReporter: { fileName: `reports/mutation/${name}.html` },
  tempDirName: '.stryker-tmp',
};
