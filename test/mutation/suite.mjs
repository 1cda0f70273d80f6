/**
 * The module that unit tests import as 'vitest' while mutants are judged. It has the same functions without vitest's own
 * machinery, because a thousand runs of the tests must not start vitest a thousand times.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  addCustomEqualityTesters,
  chai,
  customMatchers,
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';
import * as spy from '@vitest/spy';
import { format } from 'node:util';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
chai.expect.extend(chai.expect, customMatchers);

function expect(value, message) {
  return chai.expect(value, message);
}
Object.assign(expect, chai.expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT], {
  addEqualityTesters: addCustomEqualityTesters,
  getState: () => getState(expect),
  setState: (state) => setState(state, expect),
});
globalThis[GLOBAL_EXPECT] = expect;
setState(
  {
    assertionCalls: 0,
    isExpectingAssertions: false,
    isExpectingAssertionsError: null,
    expectedAssertionsNumber: null,
    expectedAssertionsNumberErrorGen: null,
  },
  expect,
);

/** Works like `expect.poll`: asks again until the matcher holds or a second has passed. */
expect.poll = (ask, options) =>
  new Proxy(
    {},
    {
      get:
        (_target, matcher) =>
        (...expected) =>
          waitFor(async () => expect(await ask())[matcher](...expected), options),
    },
  );

/** The tests of one evaluation of the bundle, in the order in which they stand. */
export function collector() {
  const tests = [];
  const names = new Map();
  let suite = scope('', undefined);
  let file = '';

  const describe = (name, ...rest) => {
    const outer = suite;
    suite = scope(`${outer.name} ${titled(name)}`.trim(), outer);
    try {
      rest.find((part) => typeof part === 'function')();
    } finally {
      suite = outer;
    }
  };
  const test = (name, ...rest) => {
    const title = `${file} ${suite.name} ${titled(name)}`;
    const count = names.get(title) ?? 0;
    names.set(title, count + 1);
    tests.push({
      id: count === 0 ? title : `${title} #${count}`,
      file,
      suite,
      run: rest.find((part) => typeof part === 'function'),
    });
  };
  describe.each = each(describe);
  test.each = each(test);
  const hook = (kind) => (run) => { suite.hooks[kind].push(run); };
  const vitest = {
    describe,
    test,
    it: test,
    expect,
    chai,
    beforeAll: hook('beforeAll'),
    afterAll: hook('afterAll'),
    beforeEach: hook('beforeEach'),
    afterEach: hook('afterEach'),
    vi: {
      fn: spy.fn,
      spyOn: spy.spyOn,
      mocked: (value) => value,
      restoreAllMocks: spy.restoreAllMocks,
      stubGlobal,
      unstubAllGlobals,
      resetModules() {},
      waitFor,
    },
    expectTypeOf: () =>
      new Proxy(() => {}, {
        get: (_target, key, self) => (key === 'then' ? undefined : self),
        apply: (_target, _this, _args) => vitest.expectTypeOf(),
      }),
  };
  return { tests, vitest, enter(name) { file = name; suite = scope('', undefined); } };
}

/** Works like `vi.waitFor`: asks again until nothing is thrown or a second has passed. */
async function waitFor(ask, { interval = 50, timeout = 1_000 } = {}) {
  for (const end = Date.now() + timeout; ;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => { setTimeout(resolve, interval); });
    }
  }
}

const stubbed = new Map();

function stubGlobal(name, value) {
  if (!stubbed.has(name)) stubbed.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: true });
}

function unstubAllGlobals() {
  for (const [name, before] of stubbed) {
    if (before === undefined) delete globalThis[name];
    else Object.defineProperty(globalThis, name, before);
  }
  stubbed.clear();
}

const scope = (name, outer) => ({
  name,
  outer,
  begun: false,
  hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] },
});
const titled = (name) => typeof name === 'function' ? name.name : String(name);

function each(declare) {
  return (rows) => (name, ...rest) => {
    rows.forEach((row, index) => {
      const values = Array.isArray(row) ? row : [row];
      const title = name.replace(/\$([\w.]+)/g, (_all, path) =>
        String(path.split('.').reduce((value, key) => value?.[key], values[0])),
      );
      declare(
        `${format(title, ...values.map((value) => (typeof value === 'symbol' ? String(value) : value))).slice(0, 200)} `
          + `[${index}]`,
        ...rest.map((part) => (typeof part === 'function' ? () => part(...values) : part)),
      );
    });
  };
}

/** The hooks of a suite and of those around it, outermost first. */
export function hooksOf(suite, kind) {
  return suite === undefined ? [] : [...hooksOf(suite.outer, kind), ...suite.hooks[kind]];
}

const { setImmediate, Math: { random } } = globalThis;

/** A simulation that hangs has not given back what it replaces. */
export function restore() {
  spy.restoreAllMocks();
  unstubAllGlobals();
  globalThis.setImmediate = setImmediate;
  Math.random = random;
}
