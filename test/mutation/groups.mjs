import { readdirSync, readFileSync } from 'node:fs';

/**
 * Tests that cannot judge a mutant: they look at files, measure time or memory, start programs, or take PostgreSQL through a
 * suite that takes seconds.
 */
const UNFIT = new RegExp(
  'pglite|layering|constructing-a-registry|dashboards|browser|runners\\.test|guide-factories|g9-memory|requests-outlive'
    + '|simulation\\.test|a-relayed-response|one-reset',
);
const CORE_TESTS = [
  'test/guarantees',
  'test/regressions',
  'test/registry',
  'test/slot',
  'test/reads',
  'test/hydrate',
  'test/webhook',
  'test',
];
/**
 * Single tests that are left out as well: some need a module that is evaluated twice, one reads the source, and some
 * frameworks take the same path through the source as another one.
 */
export const UNFIT_TEST = new RegExp(
  'another copy of the package|that does not show it loses nothing|adapter of at most 15 lines'
    + '|^test/adapters/\\S+ +(Express 4|Hono)',
);
/**
 * Tests with thousands of connections, and simulations. They get only the mutants that all other tests let pass. A
 * simulation that hangs may go on beside the next test, and replaces its timers.
 */
export const HEAVY_TEST = new RegExp(
  [
    'a flood of forgeries',
    'a sweep in chunks checks',
    'a store whose get throws synchronously',
    'calls of secrets are bounded',
    'does not queue behind the reads',
    'reads of many ids are bounded',
    'at most one version query per use',
    'found among thousands',
    '1000 ids through',
    'the rows behind one that cannot',
    'after a flood on a slow store',
    'no caller waits for any more are not sent',
    'one idle timer serves all',
    '1000 concurrent cold uses',
    'attempts over an hour',
    'loads are even within 5 TTL after',
    'balance is restored with at most',
    'are written to the console once per connection',
    'cannot start recovers',
    'renewals of all connections are one query',
    'the simulation of claims, shortened seed',
    'just been handed connections by each',
    'G14 exclusive at most one valid tenure',
    'the listing is given up after 30 s',
    'whose answer comes after it has expired',
    'a running owner',
    'claim queries are bounded',
    'after a cold boot',
    'to a replica that comes and goes',
    'even when the request itself was garbage collected',
    'back-pressure: a ',
    'while the client is slow to take',
    'a cancel that fails has no effect',
    'not announced: ',
    'a client that left before the response',
    'deadlines that share a timer',
    'the simulation, shortened',
    'because many other rows were read since',
  ].join('|'),
);
/** Regressions that users saw through an adapter. */
const OF_ADAPTERS = listed('test/regressions')
  .map((file) => `test/regressions/${file}`)
  .filter((file) => !UNFIT.test(file) && /hydrant\/(?:express|fastify|node)'|adapters\/support/.test(readFileSync(file, 'utf8')));
const SLICES = ['test/mutation/simulation-slice.ts'];
const core = (...mutate) => ({ mutate, folders: CORE_TESTS, last: SLICES });

const GROUPS = {
  slot: core('src/slot/**/*.ts'),
  reads: core('src/reads/**/*.ts'),
  hydrate: core('src/hydrate/**/*.ts'),
  messages: core('src/messages/**/*.ts'),
  webhook: core('src/webhook/**/*.ts'),
  registry: core('src/*.ts', '!src/index.ts'),
  exclusive: { mutate: ['src/exclusive/**/*.ts'], folders: ['test/exclusive'], last: ['test/mutation/claims-slice.ts'] },
  stores: { mutate: ['src/stores/**/*.ts'], folders: ['test/stores'], last: [] },
  adapters: { mutate: ['src/adapters/**/*.ts'], folders: ['test/adapters'], last: OF_ADAPTERS },
  testing: { mutate: ['src/testing/**/*.ts'], folders: ['test/testing'], last: [] },
  inspector: { mutate: ['src/inspector/**/*.ts'], folders: ['test/inspector'], last: [] },
  otel: { mutate: ['src/otel/**/*.ts'], folders: ['test/otel'], last: [] },
  chat: { mutate: ['src/chat/**/*.ts'], folders: ['test/chat'], last: [] },
};
export const NAMES = Object.keys(GROUPS);

/** The files that are mutated, and the tests that judge them. */
export function groupOf(name) {
  const group = GROUPS[name];
  if (group === undefined) throw new Error(`expected one of ${NAMES.join(', ')}, got ${name}`);
  const tests = group.folders.flatMap((folder) =>
    listed(folder)
      .filter((file) => file.endsWith('.test.ts') && !UNFIT.test(file))
      .map((file) => `${folder}/${file}`),
  );
  return { mutate: group.mutate, tests: [...tests, ...group.last] };
}

function listed(folder) {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}
