import assert from 'node:assert/strict';
import type { ConnectionRecord, HydrationContext, InstanceFactory } from 'hydrant';
import { factoryConformance, type FactoryCapabilities, type FactoryUnderTest, type FarSideMode } from 'hydrant/testing';
import { expect, test } from 'vitest';
import { factoryFailures } from './support/conformance.js';

interface Row extends ConnectionRecord { readonly password: string }

/** A server in memory, which notes the logins that are open. */
class FarSide {
  readonly logins = new Set<object>();
  mode: FarSideMode = 'serve';
  received = 0;

  login(password: string, signal?: AbortSignal): object | Promise<object> {
    if (this.mode === 'hang')
      return new Promise((_, reject) => { signal?.addEventListener('abort', () => reject(signal.reason as Error)); });
    if (this.mode !== 'serve') throw new Error('the server is gone');
    assert.equal(password, 'right', 'the server denied the login');
    const login = {};
    this.logins.add(login);
    return login;
  }

  /** Connects anew after a reset. */
  say(login: object): void {
    if (this.mode !== 'serve') throw new Error('the server is gone');
    this.logins.add(login);
    this.received += 1;
  }
}

function subjectOf<I>(
  side: FarSide, factory: InstanceFactory<Row, I>, use: (instance: I) => unknown, lazy = false,
): FactoryUnderTest<Row, I> {
  const record: Row = { id: 'a', version: 1, status: 'active', password: 'right' };
  return {
    factory, record, use,
    ...!lazy && { failing: { ...record, password: 'wrong' } },
    behave: (mode) => { side.mode = mode; },
    open: () => side.logins.size,
    received: () => side.received,
    reset: () => { side.logins.clear(); },
  };
}

/** Right factories of unusual forms. */
const UNUSUAL: Record<string, (side: FarSide) => FactoryUnderTest<Row, any>> = {
  'a synchronous create, an instance that is a number, clean-ups instead of dispose, and an AssertionError if it fails'(side) {
    const logins: object[] = [];
    return subjectOf<number>(side, {
      create({ password }, { signal, onDispose }) {
        const login = side.login(password, signal);
        if (login instanceof Promise) return login.then(() => 0);
        onDispose(() => { side.logins.delete(login); });
        return logins.push(login) - 1;
      },
    }, (instance) => side.say(logins[instance] as object));
  },

  'a class with private members and secrets'(side) {
    class Factory {
      readonly #side = side;
      readonly secrets = async ({ password }: Row, { signal }: { readonly signal: AbortSignal }): Promise<string> => {
        signal.throwIfAborted();
        return password;
      };
      async create(_record: Row, { secrets, signal }: HydrationContext<string>): Promise<object> {
        return this.#side.login(secrets, signal);
      }
      async dispose(login: object): Promise<void> { this.#side.logins.delete(login); }
    }
    return subjectOf<object>(side, new Factory() as InstanceFactory<Row, object, any>, (login) => side.say(login));
  },

  'a poller of which the server takes one, and that makes room as soon as it is superseded'(side) {
    let polling: object | undefined;
    return subjectOf<object>(side, {
      async create({ password }, { signal, superseded, retire, onDispose }) {
        const login = await side.login(password, signal);
        onDispose(() => { side.logins.delete(login); });
        // The server refuses the second poller.
        if (polling !== undefined) retire(new Error('409: another one polls'));
        polling = login;
        const stop = (): void => { if (polling === login) polling = undefined; };
        if (superseded.aborted) stop();
        else superseded.addEventListener('abort', stop);
        return login;
      },
    }, (login) => side.say(login));
  },

  'a pool, which connects when it is used, and again after a reset'(side) {
    return subjectOf<{ query(): void }>(side, {
      create({ password }, { onDispose }) {
        let login: object | undefined;
        onDispose(() => { if (login !== undefined) side.logins.delete(login); });
        return { query: () => side.say(login ??= side.login(password)) };
      },
    }, (pool) => pool.query(), true);
  },

  'timeouts that are never cleared but keep nothing alive, and an interval that ends by itself'(side) {
    return subjectOf<object>(side, {
      async create({ password }, { signal, onDispose }) {
        const login = await side.login(password, AbortSignal.any([signal, AbortSignal.timeout(60_000)]));
        setTimeout(() => {}, 60_000).unref();
        const interval = setInterval(() => {}, 60_000);
        onDispose(() => { interval.close(); side.logins.delete(login); });
        return login;
      },
    }, (login) => side.say(login));
  },
};

const QUICK: FactoryCapabilities = { timeoutMs: 500, lives: 20 };

const KINDS_OF_INSTANCES: readonly FactoryCapabilities[] = [{}, { connected: true, events: true }];

test.each(KINDS_OF_INSTANCES)('each test has a name of its own, with %j', (capabilities) => {
  const names: string[] = [];
  const describe = (heading: string, define: () => void): void => {
    expect(heading).toBe('factory conformance');
    define();
  };
  factoryConformance({ describe, it: (name) => names.push(name) }, () => { throw new Error('not asked'); }, capabilities);
  for (const name of names) expect(name).toMatch(/^(start|stop|error|close|events|lives|replacement): .*\w/);
  expect(new Set(names).size).toBe(names.length);
});

test('a pool that neither retires nor connects again after a reset fails', async () => {
  const pool = (side: FarSide): FactoryUnderTest<Row, { query(): void }> => subjectOf(side, {
    create({ password }, { onDispose }) {
      let login: object | undefined;
      onDispose(() => { if (login !== undefined) side.logins.delete(login); });
      return {
        query() {
          login ??= side.login(password);
          if (!side.logins.has(login)) throw new Error('the connection was reset');
          side.say(login);
        },
      };
    },
  }, (made: { query(): void }) => made.query(), true);
  expect(Object.keys(await factoryFailures(async () => pool(new FarSide()), QUICK))).toEqual([
    "error: an 'error' event after the start retires that instance, or the instance goes on",
  ]);
});

test.each(Object.entries(UNUSUAL))('a right factory passes: %s', async (_name, make) => {
  expect(await factoryFailures(async () => make(new FarSide()), QUICK)).toEqual({});
});
