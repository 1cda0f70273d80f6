import type { RegistrySnapshot } from 'hydrant';
import { createInspector, type InspectedRegistry, type View } from 'hydrant/inspector';
import { settle } from 'hydrant/testing';
import { describe, expect, test, vi } from 'vitest';
import { inspectBeforeEach, URL_, type Inspected } from './support/inspected.js';

let h: Inspected;
inspectBeforeEach(['acme', 'beta', 'gamma'], { maxInstances: 50 }, (inspected) => { h = inspected; });

describe('the page', () => {
  test('is one document under a policy that lets in its own style and script and nothing else', async () => {
    const [first, second] = [await h.get(), await h.get()];
    const nonce = /script-src 'nonce-([^']+)'/.exec(first.headers.get('content-security-policy') ?? '')?.[1] as string;
    expect(first.headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*frame-ancestors 'none'/);
    expect(first.headers.get('content-security-policy')).not.toContain('unsafe');
    expect(second.headers.get('content-security-policy')).not.toContain(nonce);
    expect({
      cacheControl: first.headers.get('cache-control'),
      contentTypeOptions: first.headers.get('x-content-type-options'),
      referrerPolicy: first.headers.get('referrer-policy'),
    }).toEqual({
      cacheControl: 'no-store',
      contentTypeOptions: 'nosniff',
      referrerPolicy: 'no-referrer',
    });
    const html = await first.text();
    expect(html.split(`nonce="${nonce}"`)).toHaveLength(3);
    expect(html).not.toMatch(/\bsrc=|https?:\/\/(?!www\.w3\.org)|@import|url\(|\son\w+=|style="/);
  });

  test('shows a title as text', async () => {
    const own = createInspector(h.registry, { authorize: () => true, title: '<b>"Bots" & more</b>', clock: h.clock });
    expect(await (await own(new Request(URL_))).text()).toContain('<h1>&lt;b&gt;&quot;Bots&quot; &amp; more&lt;/b&gt;</h1>');
    own.stop();
  });
});

describe('its data', () => {
  test('connections by state, version, leases and age, and the caps, without record contents', async () => {
    const lease = await h.registry.acquire('acme');
    await h.clock.advance(1_500);
    await h.registry.use('beta', () => {});
    const view = await h.data();
    expect(view).toMatchObject({
      live: 2,
      idle: 1,
      leased: 1,
      total: 2,
      matching: 2,
      failed: 0,
      limits: { maxInstances: 50, maxConcurrentHydrations: 16, maxQueuedHydrations: 1000 },
    });
    expect(view.rows).toMatchObject([
      { id: 'acme', state: 'leased', version: '1', leases: 1, ageMs: 1_500, leasedForMs: 1_500 },
      { id: 'beta', state: 'idle', leases: 0, ageMs: 0 },
    ]);
    expect(JSON.stringify(view)).not.toContain('xoxb');
    lease.release();
  });

  test('the last failure and the next attempt, until the connection is live', async () => {
    h.factory.behaveOnCreate({ fail: new Error('token xoxb-secret') });
    await expect(h.registry.use('acme', () => {})).rejects.toThrow();
    const { rows: [row], failed } = await h.data();
    expect(failed).toBe(1);
    expect(row).toEqual({
      id: 'acme',
      state: 'failed',
      version: '1',
      leases: 0,
      failure: { code: 'HYDRATION_FAILED', failures: 1, retryInMs: expect.any(Number) },
    });
    expect(row?.failure?.retryInMs).toBeLessThanOrEqual(500);
    h.factory.behaveOnCreate({});
    await h.clock.advance(500);
    await h.registry.use('acme', () => {});
    expect(await h.data()).toMatchObject({ failed: 0, rows: [{ id: 'acme', state: 'idle' }] });
  });

  test('how long hydrates took, in columns of ten seconds', async () => {
    h.factory.behaveOnCreate((record) =>
      record.id === 'gamma' ? { fail: new Error('no') } : { delayMs: record.id === 'acme' ? 100 : 300 },
    );
    const uses = Promise.allSettled(['acme', 'beta', 'gamma'].map((id) => h.registry.use(id, () => {})));
    await h.clock.advance(300);
    await uses;
    const { latency } = await h.data();
    expect(latency.columns).toHaveLength(60);
    expect(latency.columns.at(-1)).toEqual({ count: 2, failures: 1, p50Ms: 300, p95Ms: 300 });
    await h.clock.advance(20_000);
    expect((await h.data()).latency.columns.at(-3)).toEqual({ count: 2, failures: 1, p50Ms: 300, p95Ms: 300 });
    await h.clock.advance(600_000);
    expect((await h.data()).latency.columns.every(({ count }) => count === 0)).toBe(true);
  });

  test('finds by part of an id, by state, and sorts', async () => {
    const lease = await h.registry.acquire('gamma');
    await h.clock.advance(1_000);
    await h.registry.use('acme', () => {});
    await h.registry.use('beta', () => {});
    const ids = async (query: string): Promise<string[]> => (await h.data(query)).rows.map(({ id }) => id);
    expect(await ids('&search=MA')).toEqual(['gamma']);
    expect(await ids('&state=idle')).toEqual(['acme', 'beta']);
    expect((await ids('&sort=age'))[0]).toBe('gamma');
    expect((await ids('&sort=leases'))[0]).toBe('gamma');
    expect(await ids('&sort=constructor&offset=-1')).toEqual(['acme', 'beta', 'gamma']);
    lease.release();
  });
});

test('searches among 100 000 connections, a page at a time', async () => {
  const connections = Array.from({ length: 100_000 }, (_, index) => ({
    id: `bot-${String(index).padStart(6, '0')}`,
    state: 'idle',
    version: '1',
    leases: 0,
    ageMs: index,
  }));
  const limits = { maxInstances: 100_000, maxConcurrentHydrations: 16, maxQueuedHydrations: 1000 };
  const snapshot: RegistrySnapshot = {
    live: 100_000,
    idle: 100_000,
    leased: 0,
    hydrating: 0,
    queued: 0,
    draining: 0,
    reads: { inFlight: 0, abandoned: 0 },
    limits,
    connections,
  };
  const large: InspectedRegistry = { snapshot: () => snapshot, invalidate: () => {}, on: () => () => {} };
  const inspect = createInspector(large, { authorize: () => true, clock: h.clock });
  const view = async (query: string): Promise<View> =>
    (await inspect(new Request(`${URL_}?view=data${query}`))).json() as Promise<View>;
  expect(await view('&search=9999')).toMatchObject({
    total: 100_000,
    matching: connections.filter(({ id }) => id.includes('9999')).length,
    rows: expect.arrayContaining([expect.objectContaining({ id: 'bot-099999' })]),
  });
  const page = await view('&offset=99950');
  expect({ offset: page.offset, rows: page.rows.length, firstId: page.rows[0]?.id }).toEqual({
    offset: 99_900,
    rows: 100,
    firstId: 'bot-099900',
  });
  expect((await view('&offset=500000')).offset).toBe(99_900);
  inspect.stop();
});

describe('actions', () => {
  test('invalidate ends the instance and forgets a failure', async () => {
    const lease = await h.registry.acquire('acme');
    expect((await h.post('invalidate', 'acme')).status).toBe(200);
    expect(lease.stale).toBe(true);
    lease.release();
  });

  test('invalidate forgets a failure, as the registry does', async () => {
    h.factory.behaveOnCreate({ fail: new Error('no') });
    await expect(h.registry.use('acme', () => {})).rejects.toThrow();
    expect((await h.data()).failed).toBe(1);
    await h.post('invalidate', 'acme');
    expect(await h.data()).toMatchObject({ failed: 0, total: 0 });
  });

  test('evict disposes of an idle instance, and refuses one that is in use or missing', async () => {
    const lease = await h.registry.acquire('acme');
    const refused = await h.post('evict', 'acme');
    expect({ status: refused.status, body: await refused.text(), stale: lease.stale }).toEqual({
      status: 409,
      body: 'The instance is leased: only an idle one can be evicted',
      stale: false,
    });
    lease.release();
    expect((await h.post('evict', 'acme')).status).toBe(200);
    await settle();
    expect(h.factory.live).toEqual([]);
    expect((await h.post('evict', 'acme')).status).toBe(404);
  });

  test.each([
    { action: 'explode', id: 'acme' },
    { action: 'invalidate', id: '' },
    { action: 'invalidate', id: 'a'.repeat(2_000) },
  ])('$action with an invalid id or action is refused', async ({ action, id }) => {
    expect((await h.post(action, id)).status).toBe(400);
  });
});

describe('the stream', () => {
  const read = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> =>
    new TextDecoder().decode((await reader.read()).value);

  test('sends data at once and every second, as long as it is read', async () => {
    const response = await h.get('?view=stream&search=acme');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(await read(reader)).toBe('retry: 1000\n\n');
    expect(JSON.parse((await read(reader)).slice(6))).toMatchObject({ total: 0 });
    await h.registry.use('acme', () => {});
    await h.registry.use('beta', () => {});
    await h.clock.advance(1_000);
    expect(JSON.parse((await read(reader)).slice(6))).toMatchObject({ total: 2, matching: 1, rows: [{ id: 'acme' }] });
    const timers = h.clock.pendingTimers;
    await reader.cancel();
    expect(h.clock.pendingTimers).toBe(timers - 1);
  });

  test('ends after five minutes, so that the reader is authorised again, and with stop', async () => {
    const drain = async (response: Response): Promise<void> => {
      for await (const _ of response.body as ReadableStream<Uint8Array>) void _;
    };
    const first = drain(await h.get('?view=stream'));
    await h.clock.advance(301_000);
    await first;
    const second = drain(await h.get('?view=stream'));
    h.inspector.stop();
    await second;
    expect((await h.get()).status).toBe(503);
  });

  test('makes one pass for all readers within a second', async () => {
    const snapshot = vi.spyOn(h.registry, 'snapshot');
    const readers = await Promise.all(
      Array.from({ length: 5 }, async () => ((await h.get('?view=stream')).body as ReadableStream<Uint8Array>).getReader()),
    );
    expect(snapshot).toHaveBeenCalledTimes(1);
    await h.clock.advance(1_000);
    expect(snapshot).toHaveBeenCalledTimes(2);
    await Promise.all(readers.map((reader) => reader.cancel()));
  });

  test('is limited to a hundred readers at a time', async () => {
    const open = await Promise.all(Array.from({ length: 100 }, () => h.get('?view=stream')));
    expect((await h.get('?view=stream')).status).toBe(503);
    await open[0]?.body?.cancel();
    expect((await h.get('?view=stream')).status).toBe(200);
  });
});
