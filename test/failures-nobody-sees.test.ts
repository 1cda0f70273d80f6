import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionRegistry, type RegistryEvents } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import type { Row } from './support/harness.js';

const post = (): Request => new Request('http://gateway.test/', { method: 'POST', body: '{}' });
const errorOf = (code: string, connectionId: string | null = 'a'): unknown =>
  expect.objectContaining({ name: 'ConnectionError', code, connectionId: connectionId ?? undefined });
const caught = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

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

describe('a failure without a listener', () => {
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
    expect(written.map(([text]) => text)).toEqual([
      "hydrant: hydrationFailed for connection 'a'",
      "hydrant: hydrationFailed for connection 'b'",
      "hydrant: hydrationFailed for connection 'a'",
    ]);
  });

  test('is not written while there is a listener, and is again after it unsubscribes', async () => {
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

  test('of a webhook is written if the gateway is at fault', async () => {
    const { registry } = unheard({ create: () => ({}), authenticate: () => true, handleWebhook: () => new Response() },
      { get: async (id: string) => ({ id, status: id === 'odd' ? 'paused' : 'active', version: 'v1' }) });
    const read = post();
    await read.text();
    await registry.handleWebhook('a', read);
    await registry.handleWebhook('odd', post());
    expect(written).toEqual([
      ["hydrant: webhookFailed for connection 'a'", errorOf('BODY_ALREADY_PARSED', null)],
      ["hydrant: webhookFailed for connection 'odd'", errorOf('INVALID_RECORD', 'odd')],
    ]);
  });

  test('is written although an onlooker, of any version of the package, hears it', async () => {
    const { registry } = unheard({ create: () => { throw new Error('vendor down'); } });
    const told: unknown[] = [];
    registry.on(
      'hydrationFailed',
      Object.assign(({ id }: { id: string }) => void told.push(id), { [Symbol.for('hydrant.onlooker')]: true }),
    );
    await caught(registry.use('a', () => {}));
    expect(told).toEqual(['a']);
    expect(written).toHaveLength(1);
  });

  test('is all that is written: successes are not, even with an onlooker', async () => {
    const { registry } = unheard({ create: () => ({}) });
    const told: unknown[] = [];
    registry.on(
      'hydrated',
      Object.assign(({ id }: { id: string }) => void told.push(id), { [Symbol.for('hydrant.onlooker')]: true }),
    );
    await registry.use('a', () => {});
    expect({ told, written }).toEqual({ told: ['a'], written: [] });
  });

  test('of one connection is not confused with that of another', async () => {
    const { registry } = unheard({ create: () => { throw new Error('vendor down'); } },
      { get: async (id: string) => ({ id, status: 'active', version: id === 'a' ? 'bc' : 'c', token: 't' }) });
    for (const id of ['a', 'ab']) await caught(registry.use(id, () => {}));
    expect(written).toHaveLength(2);
  });

  test('does not let unauthenticated senders fill the log: forged, unknown and malformed requests are not written', async () => {
    const { registry } = unheard(
      { create: () => ({}), authenticate: () => false, handleWebhook: () => new Response() },
      { get: async (id: string) => (id === 'a' ? { id, status: 'active', version: 'v1' } : undefined) },
    );
    for (const id of ['a', 'unknown', 'a/b', '']) await registry.handleWebhook(id, post());
    expect(written).toEqual([]);
  });

  test('of a listener is written, and affects neither the others nor the registry', async () => {
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

  test('of 1 001 connections, over half an hour of an outage, writes 300 lines and says how many it suppressed', async () => {
    const { registry, clock } = unheard({ create: () => { throw new Error('vendor down'); } });
    for (let minute = 0; minute < 30; minute += 1) {
      for (let index = 0; index <= 1_000; index += 1) await caught(registry.use(`c${index}`, () => {}));
      await clock.advance(60_000);
    }
    const texts = written.map(([text]) => String(text));
    const reports = texts.filter((text) => text.includes('suppressed'));
    expect({ lines: texts.length - reports.length, distinct: new Set(texts).size, reports }).toEqual({
      lines: 300, distinct: 303,
      reports: ['9010', '8010', '7010'].map((count) => `hydrant: ${count} more lines were suppressed in 10 minutes`),
    });
  });
});
