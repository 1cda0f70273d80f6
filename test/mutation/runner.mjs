/**
 * A test runner for Stryker that bundles the sandbox's tests and source once and then runs the tests a mutant is
 * covered by in this process, those that found the mutants before it first, until one fails.
 *
 * The bundle is evaluated anew for every mutant, so nothing a mutant left behind in a module reaches the next one, and
 * mutants of code that runs while modules are evaluated need no process of their own.
 */
import { createRequire } from 'node:module';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cwd, hrtime } from 'node:process';
import { constants, Script } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import { DryRunStatus, MutantRunStatus, TestStatus } from '@stryker-mutator/api/test-runner';
import { bundle } from './bundle.mjs';
import { groupOf, HEAVY_TEST, UNFIT_TEST } from './groups.mjs';
import { collector, hooksOf, restore } from './suite.mjs';

/**
 * A test hangs when it has taken so many more turns of the event loop than without a mutant, and so many times as
 * many: the modules are new for each mutant, and slow until they are compiled.
 */
const TURNS_BEFORE_HUNG = 150;
const TIMES_BEFORE_HUNG = 10;
/** How many turns of the event loop a test that failed gets to end. */
const TURNS_TO_END = 1_000;
/** A loop is endless when it has come by its mutant so many more times than it did without. */
const HITS_BEFORE_ENDLESS = 10_000;
const ALL_TESTS = process.env.MUTATION_PASS === '2';
const MEASURED = 'dry-run.json';
/** A test whose very name a mutant has changed. */
const UNKNOWN = { turns: 50, hits: {} };
/** A turn of the event loop that takes so much processor time never ends. */
const ENDLESS_MS = 4_000;
const heartbeat = new Int32Array(new SharedArrayBuffer(4));
let watchdog;
const namespace = globalThis.__stryker__ ??= {};

class InProcessRunner {
  #script;
  #require = createRequire(`${cwd()}/package.json`);
  #modules;
  /** The cost of each test without a mutant: milliseconds, turns of the event loop, and how often it ran each mutant. */
  #measured;
  /** When each test last found a mutant: neighbours are often found by the same one. */
  #found = new Map();
  #runs = 0;
  #stray = [];

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    const group = groupOf(process.env.MUTATION_GROUP);
    const { code, required } = await bundle(cwd(), group.tests);
    this.#modules = await importedOnly(this.#require, required);
    this.#script = new Script(code, {
      filename: `${cwd()}/tests.cjs`,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    // Failures nobody listens to are told to the console, by the thousand here.
    console.error = console.warn = () => {};
    const stray = (error) => { this.#stray.push(error); };
    process.on('unhandledRejection', stray);
    process.on('uncaughtException', stray);
    // Fixtures that all tests share may take seconds to start. Such a start must not count as a test that hangs.
    this.#collect();
    await globalThis[Symbol.for('hydrant.test.ready')];
  }

  #collect() {
    const suite = collector();
    globalThis.enterTestFile = suite.enter;
    const load = (name) => name === 'vitest' ? suite.vitest : this.#modules[name] ?? this.#require(name);
    this.#script.runInThisContext()(load, { exports: {} });
    return suite.tests.filter(({ id }) => !UNFIT_TEST.test(id) && (ALL_TESTS || !HEAVY_TEST.test(id)));
  }

  async dryRun() {
    namespace.activeMutant = undefined;
    namespace.currentTestId = undefined;
    namespace.mutantCoverage = { static: {}, perTest: {} };
    const results = [];
    const measured = {};
    const shared = { tests: this.#collect(), begun: new Set() };
    for (const [index, { suite }] of shared.tests.entries()) {
      // Each test starts with fresh modules, because a module may remember its first caller. Suites with costly fixtures do not.
      const { tests, begun } = hooksOf(suite, 'beforeAll').length === 0 ? { tests: this.#collect(), begun: new Set() } : shared;
      const test = tests[index];
      const from = hrtime.bigint();
      namespace.currentTestId = test.id;
      const { failure, turns } = await this.#run(test, begun, Infinity);
      namespace.currentTestId = undefined;
      const timeSpentMs = Number(hrtime.bigint() - from) / 1e6;
      const about = { id: test.id, name: test.id, fileName: test.file, timeSpentMs };
      results.push(
        failure === undefined
          ? { ...about, status: TestStatus.Success }
          : { ...about, status: TestStatus.Failed, failureMessage: text(failure) },
      );
      measured[test.id] = { ms: timeSpentMs, turns, hits: namespace.mutantCoverage.perTest[test.id] ?? {} };
      if (tests !== shared.tests) await this.#end(begun);
    }
    await this.#end(shared.begun);
    writeFileSync(MEASURED, JSON.stringify(measured));
    return { status: DryRunStatus.Complete, tests: results, mutantCoverage: namespace.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, mutantActivation }) {
    // Only one of the processes made the dry run.
    this.#measured ??= JSON.parse(readFileSync(MEASURED, 'utf8'));
    // Nothing in this thread can end a loop that runs in it.
    watchdog ??= new Worker(new URL('./watchdog.mjs', import.meta.url), { workerData: { heartbeat, endlessMs: ENDLESS_MS } });
    namespace.currentTestId = undefined;
    namespace.hitCount = 0;
    namespace.hitLimit = Infinity;
    namespace.activeMutant = mutantActivation === 'static' ? activeMutant.id : undefined;
    // Left over by a process that did not survive this mutant: it ran for ever, or out of memory.
    const mark = `running-${activeMutant.id}`;
    if (existsSync(mark)) return { status: MutantRunStatus.Timeout, reason: 'It brought the process down' };
    writeFileSync(mark, '');
    this.#runs += 1;
    this.#stray.length = 0;
    const begun = new Set();
    let nrOfTests = 0;
    try {
      const wanted = testFilter === undefined ? undefined : new Set(testFilter);
      let tests;
      try {
        tests = this.#collect();
      } catch (error) {
        return {
          status: MutantRunStatus.Killed,
          killedBy: ['the modules could not be evaluated'],
          failureMessage: text(error),
          nrOfTests,
        };
      }
      namespace.activeMutant = activeMutant.id;
      const cost = (test) => this.#measured[test.id]?.ms ?? 0;
      const found = (test) => this.#found.get(test.id) ?? 0;
      const order = tests
        .filter((test) => wanted === undefined || wanted.has(test.id))
        .toSorted((a, b) => found(b) - found(a) || cost(a) - cost(b));
      for (const test of order) {
        nrOfTests += 1;
        const { turns, hits } = this.#measured[test.id] ?? UNKNOWN;
        namespace.hitCount = 0;
        namespace.hitLimit = HITS_BEFORE_ENDLESS + 20 * (hits[activeMutant.id] ?? 0);
        const { failure } = await this.#run(test, begun, TURNS_BEFORE_HUNG + TIMES_BEFORE_HUNG * turns);
        if (namespace.hitCount > namespace.hitLimit) return { status: MutantRunStatus.Timeout, reason: 'Hit limit reached' };
        if (failure === undefined) continue;
        this.#found.set(test.id, this.#runs);
        return { status: MutantRunStatus.Killed, killedBy: [test.id], failureMessage: text(failure), nrOfTests };
      }
      if (process.env.MUTATION_TELL !== undefined)
        appendFileSync(
          process.env.MUTATION_TELL,
          `${activeMutant.fileName} ${activeMutant.location.start.line}:${activeMutant.location.start.column} `
            + `${activeMutant.mutatorName} => ${activeMutant.replacement}\n`,
        );
      return { status: MutantRunStatus.Survived, nrOfTests };
    } finally {
      await this.#end(begun).catch(() => {});
      namespace.activeMutant = undefined;
      rmSync(mark);
    }
  }

  /** Runs one test with the hooks around it; what nobody caught meanwhile fails it too. */
  async #run(test, begun, maxTurns) {
    heartbeat[0] += 1;
    const { suite } = test;
    const ready = [];
    for (let outer = suite; outer !== undefined; outer = outer.outer) {
      if (!begun.has(outer)) ready.unshift(...outer.hooks.beforeAll);
      begun.add(outer);
    }
    const work = async () => {
      for (const hook of ready) await hook();
      try {
        for (const hook of hooksOf(suite, 'beforeEach')) await hook();
        await test.run();
      } finally {
        for (const hook of hooksOf(suite, 'afterEach').toReversed()) await hook();
      }
      await new Promise(setImmediate);
    };
    const working = work();
    const { failure, turns } = await within(working, maxTurns);
    if (failure !== undefined) {
      // A simulation that counts as hanging may only be slow. Its next program would replace the timers of the next test.
      await within(working, TURNS_TO_END);
      restore();
    }
    return { failure: failure ?? this.#stray.shift(), turns };
  }

  async #end(begun) {
    for (const suite of begun) {
      for (const hook of suite.hooks.afterAll) await within(Promise.resolve().then(hook), TURNS_BEFORE_HUNG * 10);
    }
    restore();
  }
}

/** How `work` ended, or that it has not. Counted in turns of the event loop, because a busy machine is slow. */
function within(work, maxTurns) {
  return new Promise((resolve) => {
    let turns = 0;
    let timer;
    const turn = () => {
      turns += 1;
      heartbeat[0] += 1;
      if (turns > maxTurns) resolve({ failure: new Error('hangs'), turns });
      else timer = setTimeout(turn, 1);
    };
    timer = setTimeout(turn, 1);
    const end = (failure) => { clearTimeout(timer); resolve({ failure, turns }); };
    work.then(() => end(undefined), (error) => end(error ?? new Error('rejected with nothing')));
  });
}

/** Some packages can only be imported, and not before their importer lies in the sandbox. */
async function importedOnly(require, names) {
  const left = names.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch (error) {
      return error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
    }
  });
  const importer = `${cwd()}/imported-only.mjs`;
  writeFileSync(importer, left.map((name, index) => `export * as m${index} from '${name}';`).join('\n'));
  const modules = await import(importer);
  return Object.fromEntries(left.map((name, index) => [name, modules[`m${index}`]]));
}

function text(error) {
  try {
    return String(error?.stack ?? error).slice(0, 2_000);
  } catch {
    return 'an error that cannot be shown';
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'in-process', InProcessRunner)];
