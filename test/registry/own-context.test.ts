import { AsyncLocalStorage } from 'node:async_hooks';
import { ConnectionRegistry, MemoryStore, type InstanceFactory } from 'hydrant';
import { describe, expect, test } from 'vitest';
import { collectAfterThisTurn } from '../support/garbage.js';
import { BatchedRows, Harness, Rows, type Row } from '../support/harness.js';
import { post, webhookHarness } from '../support/webhooks.js';

/** The async context of a request, as gateways have it: the organisation that asks. */
const organisation = new AsyncLocalStorage<string>();

/** Rows that record in which context they are read, and that know versions and hints. */
class ContextRows extends BatchedRows {
  readonly contexts = new Map<string, Set<string | undefined>>();

  see(call: string): void {
    const seen = this.contexts.get(call) ?? new Set();
    this.contexts.set(call, seen.add(organisation.getStore()));
  }

  override async get(id: string): Promise<Row | undefined> {
    this.see('get');
    return super.get(id);
  }

  override async getMany(ids: readonly string[]): Promise<ReadonlyMap<string, Row>> {
    this.see('getMany');
    return super.getMany(ids);
  }

  override async getVersions(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    this.see('getVersions');
    return super.getVersions(ids);
  }

  async watch(): Promise<AsyncDisposable> {
    this.see('watch');
    return { [Symbol.asyncDispose]: async () => { this.see('unsubscribe'); } };
  }
}

/** Every call that serves the life of an instance, and those that serve a request. */
const OF_THE_REGISTRY = [
  'get',
  'getMany',
  'getVersions',
  'watch',
  'unsubscribe',
  'secrets',
  'secrets for a webhook',
  'create',
  'late clean-up',
  'clean-up',
  'dispose',
];
const OF_THE_REQUEST = ['authenticate', 'handleWebhook', 'acknowledge', 'respondToFailure'];

async function runEverything(around?: <T>(row: Row, work: () => T) => T): Promise<ContextRows['contexts']> {
  const rows = new ContextRows();
  const factory: Partial<InstanceFactory<Row, any>> = {
    async secrets(row) {
      rows.see(row.id === 'w' ? 'secrets for a webhook' : 'secrets');
    },
    async create(row, context) {
      await Promise.resolve();
      rows.see('create');
      context.onDispose(async () => { await Promise.resolve(); rows.see('clean-up'); });
      return { name: row.id, row, context, disposed: undefined };
    },
    dispose: async () => { await Promise.resolve(); rows.see('dispose'); },
    authenticate: () => { rows.see('authenticate'); return true; },
    async handleWebhook({ row }) {
      rows.see('handleWebhook');
      await Promise.resolve();
      if (row.id === 'w') throw new Error('no');
      return new Promise<Response>(() => {});
    },
    acknowledge: { afterMs: 100, respond: () => { rows.see('acknowledge'); return new Response('later'); } },
    respondToFailure: () => { rows.see('respondToFailure'); return undefined; },
  };
  const h = organisation.run('owner', () => webhookHarness({ store: rows, factory, ...(around && { around }) }));
  for (const id of ['a', 'b', 'c', 'w']) rows.put(id);
  await organisation.run('caller', async () => {
    await h.registry.use('a', () => {});
    await Promise.all([h.registry.use('b', () => {}), h.registry.use('c', () => {})]);
    await h.registry.use('a', (instance: any) => { instance.context.onDispose(() => rows.see('late clean-up')); });
    await h.registry.handleWebhook('w', post());
    const acknowledged = h.registry.handleWebhook('c', post());
    await h.clock.advance(100);
    await acknowledged;
    rows.put('a');
    await h.registry.use('a', () => {});
    h.registry.invalidate('b');
    const closed = h.registry.close({ drainTimeoutMs: 10 });
    await h.clock.advance(10_000);
    await closed;
  });
  return rows.contexts;
}

describe('the async context of calls by the registry', () => {
  test('reads and the life of an instance run in the context in which the registry was constructed', async () => {
    const contexts = await runEverything();
    const expected = [...OF_THE_REGISTRY.map((call) => [call, ['owner']]), ...OF_THE_REQUEST.map((call) => [call, ['caller']])];
    expect(Object.fromEntries([...contexts].map(([call, seen]) => [call, [...seen]]))).toEqual(Object.fromEntries(expected));
  });

  test('around applies inside it, to clean-ups too', async () => {
    const inner = new Set(['secrets', 'secrets for a webhook', 'create', 'late clean-up', 'clean-up', 'dispose']);
    const contexts = await runEverything((row, work) => organisation.run(`${organisation.getStore()}/${row.id}`, work));
    const outside = [...contexts].filter(([call]) => !inner.has(call) && !OF_THE_REQUEST.includes(call));
    expect(outside.map(([call, seen]) => ({ call, seen: [...seen] }))).toEqual(
      outside.map(([call]) => ({ call, seen: ['owner'] })),
    );
    const inside = [...contexts]
      .filter(([call]) => inner.has(call))
      .flatMap(([call, seen]) => [...seen].map((context) => ({ call, context })));
    expect(inside.filter(({ context }) => !/^owner\/[abcw]$/.test(String(context)))).toEqual([]);
    expect(new Set(inside.map(({ call }) => call))).toEqual(inner);
  });

  test("one caller's context never decides what another caller reads", async () => {
    const rows = new Rows();
    rows.put('c');
    const gateway = undefined;
    const mayRead = (who: string | undefined): boolean => who === 'A' || who === gateway;
    const rowLevelSecurity = { get: async (id: string) => mayRead(organisation.getStore()) ? rows.get(id) : undefined };
    const h = new Harness({ store: rowLevelSecurity });
    const ask = (who: string): Promise<string> => organisation.run(who, () => h.registry.use('c', ({ name }) => name));
    expect(await Promise.all([ask('B'), ask('A')])).toEqual(['c@v1#0', 'c@v1#0']);
    expect(await ask('B')).toBe('c@v1#0');
    expect(h.disposes).toBe(0);
  });
});

test('a long-lived instance retains no context of a request', async () => {
  const requests = new AsyncLocalStorage<object>();
  const store = new MemoryStore([{ id: 'a' }, { id: 'b' }]);
  const registry = new ConnectionRegistry({
    store,
    maxInstances: 1,
    sweepIntervalMs: 0,
    factory: {
      // A timer keeps the context in which it was made, as a socket does.
      create: ({ id }, { onDispose }) => {
        const timer = setInterval(() => {}, 10_000);
        onDispose(() => clearInterval(timer));
        return { id, timer };
      },
      dispose: () => {},
    },
  });
  const contexts: WeakRef<object>[] = [];
  const serve = async (id: string): Promise<void> => {
    const context = { request: id };
    contexts.push(new WeakRef(context));
    await requests.run(context, () => registry.use(id, async () => {}, { timeoutMs: 5_000 }));
  };
  for (const id of ['a', 'b', 'a', 'a', 'b', 'b']) await serve(id);
  for (let turn = 0; turn < 5; turn += 1) await collectAfterThisTurn();
  expect(registry.snapshot()).toMatchObject({ live: 1 });
  expect(contexts.filter((context) => context.deref() !== undefined)).toHaveLength(0);
  await registry.close();
});
