import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionRegistry, isConnectionError, type RegistryEvents } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { Harness, type Row } from './support/harness.js';

const post = (): Request => new Request('http://gateway.test/', { method: 'POST', body: '{}' });
const errorOf = (code: string, connectionId: string | null = 'a'): unknown =>
  expect.objectContaining({ name: 'ConnectionError', code, connectionId: connectionId ?? undefined });
const caught = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

describe('what each event tells', () => {
  test('hydrated: how long it took, and after how many failures', async () => {
    const h = new Harness();
    h.rows.put('a');
    const [first, second] = [h.holdCreate(0), h.holdCreate(1)];
    const failing = caught(h.registry.use('a', () => {}));
    await h.settle();
    first.reject(new Error('vendor down'));
    await failing;
    expect(h.eventsOf('hydrated')).toEqual([]);
    await h.clock.advance(60_000);
    const use = h.registry.use('a', () => {});
    await h.clock.advance(40);
    second.resolve();
    await use;
    expect(h.eventsOf('hydrated')).toEqual([{ id: 'a', version: 'v1', durationMs: 40, afterFailures: 1 }]);
  });

  test('hydrationFailed: the error its callers got, how often in a row, and when the next attempt may be', async () => {
    const h = new Harness({ factory: { create: async () => { throw new Error('vendor down'); } } });
    h.rows.put('a');
    const error = await caught(h.registry.use('a', () => {}));
    await h.clock.advance(60_000);
    await caught(h.registry.use('a', () => {}));
    const [one, two] = h.eventsOf('hydrationFailed');
    expect(one).toEqual({ id: 'a', version: 'v1', error, failures: 1, retryAfterMs: (error as { retryAfterMs: number }).retryAfterMs });
    expect(one.error).toBe(error);
    expect(one.retryAfterMs).toBeLessThanOrEqual(500);
    expect(two).toEqual({ id: 'a', version: 'v1', error: errorOf('HYDRATION_FAILED'), failures: 2, retryAfterMs: expect.any(Number) });
    expect(Object.keys(two)).toHaveLength(5);
  });

  test('disposed: why, and how many leases were abandoned', async () => {
    const h = new Harness({ drainTimeoutMs: 1_000 });
    h.rows.put('a');
    await h.registry.acquire('a');
    h.registry.invalidate('a');
    expect(h.eventsOf('disposed')).toEqual([]);
    await h.clock.advance(1_000);
    expect(h.eventsOf('disposed')).toEqual([{ id: 'a', version: 'v1', reason: 'invalidated', abandonedLeases: 1 }]);
    await h.registry.use('a', () => {});
    await h.clock.advance(600_000);
    expect(h.eventsOf('disposed').at(-1)).toEqual({ id: 'a', version: 'v1', reason: 'idle', abandonedLeases: 0 });
  });

  test('disposeFailed: what dispose or a clean-up threw, and that it took too long', async () => {
    const [inDispose, inCleanUp] = [new Error('dispose'), new Error('clean-up')];
    const h = new Harness({ factory: {
      create: (row, { onDispose }) => { onDispose(() => { throw inCleanUp; }); return { name: '', row, disposed: undefined }; },
      dispose: async () => { throw inDispose; },
    } });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.registry.invalidate('a');
    await h.settle();
    expect(h.eventsOf('disposeFailed')).toEqual([{ id: 'a', version: 'v1', error: inDispose }, { id: 'a', version: 'v1', error: inCleanUp }]);
    expect(h.eventsOf('disposed')).toHaveLength(1);

    const hanging = new Harness();
    hanging.rows.put('a');
    hanging.holdDispose();
    await hanging.registry.use('a', () => {});
    hanging.registry.invalidate('a');
    await hanging.clock.advance(10_000);
    expect(hanging.eventsOf('disposeFailed')).toEqual([{ id: 'a', version: 'v1', error: new Error('dispose has not settled within disposeTimeoutMs (10000 ms) and is no longer waited for') }]);
  });

  test('retired: by the instance, by a lease, and before create had returned', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', (_instance, lease) => lease.retire('found dead'));
    expect(h.eventsOf('retired')).toEqual([{ id: 'a', version: 'v1', cause: 'found dead' }]);
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.contexts.at(-1)?.retire('socket closed');
    await h.settle();
    expect(h.eventsOf('retired').at(-1)).toEqual({ id: 'a', version: 'v2', cause: 'socket closed' });

    const early = new Harness({ factory: { create: (row, { retire }) => { retire('at once'); return { name: '', row, disposed: undefined }; } } });
    early.rows.put('a');
    await caught(early.registry.use('a', () => {}));
    expect(early.eventsOf('retired')).toEqual([{ id: 'a', version: 'v1', cause: 'at once' }]);
    expect(early.eventsOf('hydrated')).toEqual([]);
  });

  test('webhookFailed: every answer that is a failure, and what failed after the acknowledgement', async () => {
    const h = new Harness({ factory: {
      authenticate: (request) => request.headers.get('x-good') === '1',
      handleWebhook: async (_instance, _request, { waitUntil }) => { waitUntil(Promise.reject(new Error('later'))); return new Response(); },
    } });
    h.rows.put('a');
    await h.registry.handleWebhook('a', post());
    expect(h.eventsOf('webhookFailed')).toEqual([{ id: 'a', error: errorOf('UNAUTHENTICATED'), acknowledged: false }]);
    await h.registry.handleWebhook('b', post());
    expect(h.eventsOf('webhookFailed').at(-1)).toEqual({ id: 'b', error: errorOf('CONNECTION_NOT_FOUND', 'b'), acknowledged: false });
    await h.registry.handleWebhook('a/b', post());
    expect(h.eventsOf('webhookFailed').at(-1)).toEqual({ id: 'a/b', error: errorOf('INVALID_CONNECTION_ID', null), acknowledged: false });
    await h.registry.handleWebhook('a', new Request(post(), { headers: { 'x-good': '1' } }));
    await h.settle();
    expect(h.eventsOf('webhookFailed').at(-1)).toEqual({ id: 'a', error: errorOf('HANDLER_FAILED'), acknowledged: true });
    expect(h.eventsOf('webhookFailed').at(-1).error.cause).toEqual(new Error('later'));
  });

  test('storeFailed: once per query, whatever it carried', async () => {
    const h = new Harness();
    h.rows.put('a');
    h.rows.failure = new Error('down');
    await Promise.all([caught(h.registry.use('a', () => {})), caught(h.registry.use('a', () => {}))]);
    expect(h.eventsOf('storeFailed')).toEqual([{ error: h.rows.failure }]);
  });

  test('thrashing: more evictions in a minute than instances fit, told once in that minute', async () => {
    const h = new Harness({ maxInstances: 2 });
    const useThrough = async (from: number, to: number): Promise<void> => {
      for (let index = from; index < to; index += 1) {
        h.rows.put(`c${index}`);
        await h.registry.use(`c${index}`, () => {});
      }
    };
    await useThrough(0, 4);
    expect(h.eventsOf('thrashing')).toEqual([]);
    await useThrough(4, 20);
    expect(h.eventsOf('thrashing')).toEqual([{ maxInstances: 2, evictionsPerMinute: 3 }]);
    await h.clock.advance(60_000);
    await useThrough(20, 40);
    expect(h.eventsOf('thrashing')).toHaveLength(2);
  });

  test('versions are strings, so that a payload is JSON', async () => {
    const h = new Harness({ store: { get: async (id) => ({ id, status: 'active', version: 12n as never, token: 't' }) } });
    await h.registry.use('a', () => {});
    h.registry.invalidate('a');
    await h.settle();
    for (const { payload } of h.events) expect(JSON.parse(JSON.stringify(payload)).version).toBe('12');
    expect(h.events.map(({ event }) => event)).toEqual(['hydrated', 'disposed']);
  });
});

describe('listeners', () => {
  test('each is told, until it ends its listening; a function that listens twice is taken off once', async () => {
    const h = new Harness();
    h.rows.put('a');
    const told: string[] = [];
    const listener = (): void => void told.push('twice');
    const off = h.registry.on('hydrated', listener);
    h.registry.on('hydrated', listener);
    const offOther = h.registry.on('hydrated', () => told.push('other'));
    off();
    off();
    await h.registry.use('a', () => {});
    expect(told).toEqual(['twice', 'other']);
    offOther();
    h.registry.invalidate('a');
    await h.registry.use('a', () => {});
    expect(told).toEqual(['twice', 'other', 'twice']);
  });

  test('one may end its own listening, or begin another, while it is told', async () => {
    const h = new Harness();
    h.rows.put('a');
    let told = 0;
    const off = h.registry.on('hydrated', () => {
      told += 1;
      off();
      h.registry.on('hydrated', () => { told += 100; });
    });
    await h.registry.use('a', () => {});
    expect(told).toBe(1);
    h.registry.invalidate('a');
    await h.registry.use('a', () => {});
    expect(told).toBe(101);
  });

  test('one may call back into the registry', async () => {
    const h = new Harness();
    h.rows.put('a');
    const uses: Promise<string>[] = [];
    h.registry.on('disposed', ({ id }) => void uses.push(h.registry.use(id, ({ name }) => name)));
    await h.registry.use('a', () => {});
    h.registry.invalidate('a');
    await h.settle();
    expect(await Promise.all(uses)).toEqual(['a@v1#1']);
  });

  test.each([
    ['hydrationFailed', undefined, "on: expected a function, got nothing"],
    ['hydrateFailed', () => {}, "on: expected 'hydrated', 'hydrationFailed', 'disposed', 'disposeFailed', 'retired', 'webhookFailed', 'storeFailed' or 'thrashing', got \"hydrateFailed\""],
  ])('%s with %s is refused', (event, listener, message) => {
    const h = new Harness();
    let error: unknown;
    try { h.registry.on(event as never, listener as never); } catch (thrown) { error = thrown; }
    expect(isConnectionError(error, 'INVALID_OPTIONS') && error.message).toBe(message);
  });
});

/** A registry nobody listens to. */
function unheard(factory: object, store: object = {}) {
  const clock = new ManualClock();
  let version = 1;
  const registry = new ConnectionRegistry<Row, object>({
    clock, failureBackoff: { initialMs: 0, maxMs: 0 }, factory: factory as never,
    store: { get: async (id: string) => ({ id, status: 'active', version: `v${version}`, token: 't' }), ...store },
  });
  return { registry, clock, edit: () => { version += 1; } };
}

describe('a failure nobody sees', () => {
  let written: unknown[][];
  beforeEach(() => {
    written = [];
    vi.spyOn(console, 'error').mockImplementation((...args) => void written.push(args));
  });
  afterEach(() => { vi.restoreAllMocks(); });

  test('goes to console.error, once per connection and version', async () => {
    const { registry, edit } = unheard({ create: () => { throw new Error('vendor down'); } });
    const use = (id: string): Promise<unknown> => caught(registry.use(id, () => {}));
    await use('a');
    await use('a');
    expect(written).toEqual([["hydrant: hydrationFailed for connection 'a'", errorOf('HYDRATION_FAILED')]]);
    await use('b');
    edit();
    await use('a');
    await use('a');
    expect(written.map(([text]) => text)).toEqual(["hydrant: hydrationFailed for connection 'a'", "hydrant: hydrationFailed for connection 'b'", "hydrant: hydrationFailed for connection 'a'"]);
  });

  test('is not written when somebody listens, and is again when nobody does any more', async () => {
    const { registry } = unheard({ create: () => { throw new Error('vendor down'); } });
    const off = registry.on('hydrationFailed', () => {});
    await caught(registry.use('a', () => {}));
    expect(written).toEqual([]);
    off();
    await caught(registry.use('a', () => {}));
    expect(written).toHaveLength(1);
  });

  test('of dispose, of the store and of a handler is written too', async () => {
    const down = new Error('down');
    let failing = false;
    const { registry, clock } = unheard(
      { create: () => ({}), dispose: () => { throw down; }, authenticate: () => true, handleWebhook: () => { throw down; } },
      { getVersions: async (ids: string[]) => { if (failing) throw down; return new Map(ids.map((id) => [id, 'v1'])); } },
    );
    await registry.handleWebhook('a', post());
    registry.invalidate('a');
    await clock.advance(0);
    await registry.use('a', () => {});
    failing = true;
    await caught(registry.use('a', () => {}));
    expect(written).toEqual([
      ["hydrant: webhookFailed for connection 'a'", errorOf('HANDLER_FAILED')],
      ["hydrant: disposeFailed for connection 'a'", down],
      ['hydrant: storeFailed', down],
    ]);
  });

  test('does not let a stranger write to the log: forged, unknown and malformed requests are not written', async () => {
    const { registry } = unheard({ create: () => ({}), authenticate: () => false, handleWebhook: () => new Response() }, { get: async (id: string) => id === 'a' ? { id, status: 'active', version: 'v1' } : undefined });
    for (const id of ['a', 'unknown', 'a/b', '']) await registry.handleWebhook(id, post());
    expect(written).toEqual([]);
  });

  test('of a listener is written, and harms neither the others nor the registry', async () => {
    const { registry, clock } = unheard({ create: () => ({}) });
    const told: string[] = [];
    const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
    for (const event of ['hydrated', 'disposed'] satisfies (keyof RegistryEvents)[]) {
      registry.on(event, () => { throw thrown; });
      registry.on(event, (async () => { throw rejected; }) as () => void);
      registry.on(event, ({ id }) => void told.push(`${event} ${id}`));
    }
    expect(await registry.use('a', () => 'served')).toBe('served');
    registry.invalidate('a');
    await clock.advance(0);
    expect(told).toEqual(['hydrated a', 'disposed a']);
    expect(written).toEqual([
      ["hydrant: a listener of 'hydrated' failed", thrown], ["hydrant: a listener of 'hydrated' failed", rejected],
      ["hydrant: a listener of 'disposed' failed", thrown], ["hydrant: a listener of 'disposed' failed", rejected],
    ]);
    expect(await registry.close()).toEqual({ abandoned: [] });
  });

  test('is remembered in a bounded table', async () => {
    const { registry } = unheard({ create: () => { throw new Error('vendor down'); } });
    for (let index = 0; index <= 1_000; index += 1) await caught(registry.use(`c${index}`, () => {}));
    written.length = 0;
    await caught(registry.use('c1000', () => {}));
    expect(written).toHaveLength(0);
    await caught(registry.use('c0', () => {}));
    expect(written).toHaveLength(1);
  });
});
