import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionRegistry, MemoryStore, type ConnectionRecord, type RegistrySnapshot } from 'hydrant';
import { createInspector, type InspectedRegistry, type Inspector, type View } from 'hydrant/inspector';
import { ManualClock, RecordingFactory, settle } from 'hydrant/testing';

const URL_ = 'http://gateway.example/admin/connections';
const OWN = { 'x-hydrant-inspector': '1', 'sec-fetch-site': 'same-origin', origin: 'http://gateway.example' };

describe('createInspector', () => {
  let clock: ManualClock;
  let store: MemoryStore<{ id: string; secret: string }>;
  let factory: RecordingFactory<ConnectionRecord & { secret: string }>;
  let registry: ConnectionRegistry<ConnectionRecord & { secret: string }, any>;
  let authorize: (request: Request) => boolean | Response;
  let inspector: Inspector;

  beforeEach(() => {
    // These failures are intended, and an onlooker leaves them to the console.
    vi.spyOn(console, 'error').mockImplementation(() => {});
    clock = new ManualClock();
    store = new MemoryStore(['acme', 'beta', 'gamma'].map((id) => ({ id, secret: 'xoxb-secret' })));
    factory = new RecordingFactory({ clock });
    registry = new ConnectionRegistry<ConnectionRecord & { secret: string }, any>({ store, factory, clock, maxInstances: 50 });
    authorize = () => true;
    inspector = createInspector(registry, { authorize: (request): boolean | Response => authorize(request), clock });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    inspector.stop();
    await registry.close();
  });

  const get = (query = '', init: RequestInit = {}): Promise<Response> => inspector(new Request(`${URL_}${query}`, init));
  const data = async (query = ''): Promise<View> => (await get(`?view=data${query}`)).json() as Promise<View>;
  const post = (action: string, id: string, headers: Record<string, string> = OWN): Promise<Response> =>
    get(`?${new URLSearchParams({ action, id })}`, { method: 'POST', headers });

  describe('options', () => {
    test.each<{ options: unknown; message: string }>([
      { options: undefined, message: 'authorize: expected a function' },
      { options: {}, message: 'authorize: expected a function' },
      { options: { authorize: true }, message: 'authorize: expected a function' },
      { options: { authorize: () => true, title: 7 }, message: 'title: expected a string' },
      { options: { authorize: () => true, intervalMs: 0 }, message: 'intervalMs: expected milliseconds' },
      ...['localhost', [], [''], ['http://localhost'], ['a/b'], ['u@h'], [7]].map((allowedHosts) => ({
        options: { authorize: () => true, allowedHosts },
        message: 'allowedHosts: expected an array of hosts',
      })),
    ])('$options is refused', ({ options, message }) => {
      expect(() => createInspector(registry, options as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringContaining(message) }),
      );
    });

    test('a value that is no registry is refused', () => {
      expect(() => createInspector({} as never, { authorize: () => true })).toThrow('registry: expected a ConnectionRegistry');
    });
  });

  describe('access', () => {
    test('nothing is shown or done without authorize, whatever the request', async () => {
      authorize = () => false;
      const invalidate = vi.spyOn(registry, 'invalidate');
      const answers = [await get(), await get('?view=data'), await get('?view=stream'), await post('invalidate', 'acme')];
      for (const answer of answers)
        expect({ status: answer.status, body: await answer.text() }).toEqual({ status: 403, body: 'Forbidden' });
      expect(invalidate).not.toHaveBeenCalled();
    });

    test('a Response of authorize is the answer, and only true grants access', async () => {
      authorize = () => Response.redirect('http://gateway.example/login', 302);
      expect((await get()).headers.get('location')).toBe('http://gateway.example/login');
      authorize = () => 'yes' as never;
      expect((await get()).status).toBe(403);
    });

    test('an authorize that throws refuses access, and reveals no reason', async () => {
      const error = vi.spyOn(console, 'error').mockImplementation(() => {});
      authorize = () => { throw new Error('the session store is down'); };
      const answer = await get();
      expect({ status: answer.status, body: await answer.text() }).toEqual({ status: 500, body: 'The inspector failed' });
      expect(error).toHaveBeenCalledOnce();
      error.mockRestore();
    });

    test('an authorize that always throws writes one line, not one for each request', async () => {
      const error = vi.spyOn(console, 'error').mockImplementation(() => {});
      authorize = () => { throw new Error('the session store is down'); };
      for (let request = 0; request < 1_000; request += 1) await get();
      expect(error).toHaveBeenCalledOnce();
      error.mockClear();
      let failures = 0;
      authorize = () => { throw new Error(`failure ${failures += 1}`); };
      for (let request = 0; request < 1_000; request += 1) await get();
      expect(error).toHaveBeenCalledTimes(99);
      error.mockRestore();
    });

    test('a request to another host than the allowed ones is refused before authorize is called (DNS rebinding)', async () => {
      const asked: string[] = [];
      const guarded = createInspector(registry, {
        authorize: ({ url }) => {
          asked.push(url);
          return true;
        },
        allowedHosts: ['Ops.example.com', 'localhost:3000'],
      });
      const status = async (url: string): Promise<number> => (await guarded(new Request(url))).status;
      const right = [
        'http://localhost:3000/',
        'https://ops.example.com/',
        'http://ops.example.com:80/',
        'http://ops.example.com:443/?view=data',
      ];
      for (const url of right) expect({ url, status: await status(url) }).toEqual({ url, status: 200 });
      expect(asked).toHaveLength(right.length);
      for (const url of [
        'http://evil.example:3000/',
        'http://localhost/',
        'http://localhost:3001/',
        'http://ops.example.com.evil.example/',
        'http://127.0.0.1:3000/?view=stream',
      ]) {
        expect({ url, status: await status(url) }).toEqual({ url, status: 421 });
      }
      expect(asked).toHaveLength(right.length);
      guarded.stop();
    });

    test.each([
      { from: 'another origin', headers: { ...OWN, 'sec-fetch-site': 'cross-site' } },
      { from: 'another subdomain', headers: { ...OWN, 'sec-fetch-site': 'same-site' } },
      { from: 'a link', headers: { ...OWN, 'sec-fetch-site': 'none' } },
      { from: 'a form', headers: { 'sec-fetch-site': 'same-origin', origin: 'http://gateway.example' } },
      { from: 'another origin, in an old browser', headers: { 'x-hydrant-inspector': '1', origin: 'http://evil.example' } },
      { from: 'an opaque origin', headers: { 'x-hydrant-inspector': '1', origin: 'null' } },
      { from: 'nobody says where', headers: { 'x-hydrant-inspector': '1' } },
    ])('an action from $from is refused', async ({ headers }) => {
      await registry.use('acme', () => {});
      expect((await post('invalidate', 'acme', headers)).status).toBe(403);
      expect(registry.snapshot().idle).toBe(1);
    });

    test('an action of an old browser on the page itself is accepted, also behind a proxy that ends TLS', async () => {
      await registry.use('acme', () => {});
      expect((await post('invalidate', 'acme', { 'x-hydrant-inspector': '1', origin: 'https://gateway.example' })).status).toBe(
        200,
      );
    });

    test('no action is a GET', async () => {
      await registry.use('acme', () => {});
      await get('?action=invalidate&id=acme', { headers: OWN });
      expect(registry.snapshot().idle).toBe(1);
      expect((await get('', { method: 'DELETE' })).status).toBe(405);
    });
  });

  describe('the page', () => {
    test('is one document under a policy that lets in its own style and script and nothing else', async () => {
      const [first, second] = [await get(), await get()];
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
      const own = createInspector(registry, { authorize: () => true, title: '<b>"Bots" & more</b>', clock });
      expect(await (await own(new Request(URL_))).text()).toContain('<h1>&lt;b&gt;&quot;Bots&quot; &amp; more&lt;/b&gt;</h1>');
      own.stop();
    });
  });

  describe('its data', () => {
    test('connections by state, version, leases and age, and the caps, without record contents', async () => {
      const lease = await registry.acquire('acme');
      await clock.advance(1_500);
      await registry.use('beta', () => {});
      const view = await data();
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
      factory.behaveOnCreate({ fail: new Error('token xoxb-secret') });
      await expect(registry.use('acme', () => {})).rejects.toThrow();
      const { rows: [row], failed } = await data();
      expect(failed).toBe(1);
      expect(row).toEqual({
        id: 'acme',
        state: 'failed',
        version: '1',
        leases: 0,
        failure: { code: 'HYDRATION_FAILED', failures: 1, retryInMs: expect.any(Number) },
      });
      expect(row?.failure?.retryInMs).toBeLessThanOrEqual(500);
      factory.behaveOnCreate({});
      await clock.advance(500);
      await registry.use('acme', () => {});
      expect(await data()).toMatchObject({ failed: 0, rows: [{ id: 'acme', state: 'idle' }] });
    });

    test('how long hydrates took, in columns of ten seconds', async () => {
      factory.behaveOnCreate((record) =>
        record.id === 'gamma' ? { fail: new Error('no') } : { delayMs: record.id === 'acme' ? 100 : 300 },
      );
      const uses = Promise.allSettled(['acme', 'beta', 'gamma'].map((id) => registry.use(id, () => {})));
      await clock.advance(300);
      await uses;
      const { latency } = await data();
      expect(latency.columns).toHaveLength(60);
      expect(latency.columns.at(-1)).toEqual({ count: 2, failures: 1, p50Ms: 300, p95Ms: 300 });
      await clock.advance(20_000);
      expect((await data()).latency.columns.at(-3)).toEqual({ count: 2, failures: 1, p50Ms: 300, p95Ms: 300 });
      await clock.advance(600_000);
      expect((await data()).latency.columns.every(({ count }) => count === 0)).toBe(true);
    });

    test('finds by part of an id, by state, and sorts', async () => {
      const lease = await registry.acquire('gamma');
      await clock.advance(1_000);
      await registry.use('acme', () => {});
      await registry.use('beta', () => {});
      const ids = async (query: string): Promise<string[]> => (await data(query)).rows.map(({ id }) => id);
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
    const inspect = createInspector(large, { authorize: () => true, clock });
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
      const lease = await registry.acquire('acme');
      expect((await post('invalidate', 'acme')).status).toBe(200);
      expect(lease.stale).toBe(true);
      lease.release();
    });

    test('invalidate forgets a failure, as the registry does', async () => {
      factory.behaveOnCreate({ fail: new Error('no') });
      await expect(registry.use('acme', () => {})).rejects.toThrow();
      expect((await data()).failed).toBe(1);
      await post('invalidate', 'acme');
      expect(await data()).toMatchObject({ failed: 0, total: 0 });
    });

    test('evict disposes of an idle instance, and refuses one that is in use or missing', async () => {
      const lease = await registry.acquire('acme');
      const refused = await post('evict', 'acme');
      expect({ status: refused.status, body: await refused.text(), stale: lease.stale }).toEqual({
        status: 409,
        body: 'The instance is leased: only an idle one can be evicted',
        stale: false,
      });
      lease.release();
      expect((await post('evict', 'acme')).status).toBe(200);
      await settle();
      expect(factory.live).toEqual([]);
      expect((await post('evict', 'acme')).status).toBe(404);
    });

    test.each([
      { action: 'explode', id: 'acme' },
      { action: 'invalidate', id: '' },
      { action: 'invalidate', id: 'a'.repeat(2_000) },
    ])('$action with an invalid id or action is refused', async ({ action, id }) => {
      expect((await post(action, id)).status).toBe(400);
    });
  });

  describe('the stream', () => {
    const read = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> =>
      new TextDecoder().decode((await reader.read()).value);

    test('sends data at once and every second, as long as it is read', async () => {
      const response = await get('?view=stream&search=acme');
      expect(response.headers.get('content-type')).toBe('text/event-stream');
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      expect(await read(reader)).toBe('retry: 1000\n\n');
      expect(JSON.parse((await read(reader)).slice(6))).toMatchObject({ total: 0 });
      await registry.use('acme', () => {});
      await registry.use('beta', () => {});
      await clock.advance(1_000);
      expect(JSON.parse((await read(reader)).slice(6))).toMatchObject({ total: 2, matching: 1, rows: [{ id: 'acme' }] });
      const timers = clock.pendingTimers;
      await reader.cancel();
      expect(clock.pendingTimers).toBe(timers - 1);
    });

    test('ends after five minutes, so that the reader is authorised again, and with stop', async () => {
      const drain = async (response: Response): Promise<void> => {
        for await (const _ of response.body as ReadableStream<Uint8Array>) void _;
      };
      const first = drain(await get('?view=stream'));
      await clock.advance(301_000);
      await first;
      const second = drain(await get('?view=stream'));
      inspector.stop();
      await second;
      expect((await get()).status).toBe(503);
    });

    test('makes one pass for all readers within a second', async () => {
      const snapshot = vi.spyOn(registry, 'snapshot');
      const readers = await Promise.all(
        Array.from({ length: 5 }, async () => ((await get('?view=stream')).body as ReadableStream<Uint8Array>).getReader()),
      );
      expect(snapshot).toHaveBeenCalledTimes(1);
      await clock.advance(1_000);
      expect(snapshot).toHaveBeenCalledTimes(2);
      await Promise.all(readers.map((reader) => reader.cancel()));
    });

    test('is limited to a hundred readers at a time', async () => {
      const open = await Promise.all(Array.from({ length: 100 }, () => get('?view=stream')));
      expect((await get('?view=stream')).status).toBe(503);
      await open[0]?.body?.cancel();
      expect((await get('?view=stream')).status).toBe(200);
    });
  });
});
