import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionRegistry, factoryByPlatform, MemoryStore, type ConnectionRecord, type InstanceFactory } from 'hydrant';
import { instrument, instrumentFactory, instrumentRunner, type InstrumentedRunner } from 'hydrant/otel';
import { ManualClock, settle } from 'hydrant/testing';

type Row = ConnectionRecord & { readonly secret: string };

const SECRET = 'xoxb-very-secret';

describe('hydrant/otel, with the real SDK', () => {
  const spans = new InMemorySpanExporter();
  const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }).getTracer('test');
  let exporter: InMemoryMetricExporter;
  let reader: PeriodicExportingMetricReader;
  let meters: MeterProvider;
  let clock: ManualClock;
  let ends: (() => unknown)[];

  beforeAll(() => { context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()); });
  afterAll(() => { context.disable(); });
  beforeEach(() => {
    // Failures are wanted here, and whoever only looks on leaves them to the console.
    vi.spyOn(console, 'error').mockImplementation(() => {});
    spans.reset();
    exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 31 - 1 });
    meters = new MeterProvider({ readers: [reader] });
    clock = new ManualClock();
    ends = [];
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const end of ends) await end();
    await meters.shutdown();
  });

  function instrumented(factory: Partial<InstanceFactory<Row, object>> = {}, tuning: object = {}) {
    const store = new MemoryStore([{ id: 'acme', secret: SECRET }, { id: 'other', secret: SECRET }]);
    const registry = new ConnectionRegistry<Row, object>({
      store, clock, factory: instrumentFactory<Row, object, unknown>({ create: () => ({}), ...factory }, { tracer }), ...tuning,
    });
    const connections = instrument(registry, { tracer, meter: meters.getMeter('test'), name: 'bots' });
    ends.push(() => registry.close());
    return { store, registry, connections };
  }

  const named = (name: string): ReadableSpan[] => spans.getFinishedSpans().filter((span) => span.name === name);
  const one = (name: string): ReadableSpan => {
    const found = named(name);
    expect(found.map((span) => span.name)).toEqual([name]);
    return found[0] as ReadableSpan;
  };

  /** The points of one metric, as its attributes and value. */
  async function points(name: string): Promise<{ attributes: Record<string, unknown>; value: any }[]> {
    exporter.reset();
    await reader.forceFlush();
    const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
    return all.filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => ({ attributes: { ...attributes }, value })));
  }
  const bots = { 'hydrant.registry.name': 'bots' };

  describe('spans', () => {
    it('a cold use has one, a link to the hydrate it waited for, and its work is beneath it', async () => {
      const { connections } = instrumented({ create: async () => { tracer.startSpan('vendor call').end(); return {}; } });
      const request = tracer.startSpan('request');
      await context.with(trace.setSpan(context.active(), request), () => connections.use('acme', () => { tracer.startSpan('work').end(); }));
      const [use, hydrate] = [one('hydrant.use'), one('hydrant.hydrate')];
      expect(use.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
      expect(use.attributes).toEqual({ 'hydrant.connection.id': 'acme', 'hydrant.cold': true });
      expect(use.links.map((link) => link.context.spanId)).toEqual([hydrate.spanContext().spanId]);
      expect(one('work').parentSpanContext?.spanId).toBe(use.spanContext().spanId);
      expect(one('vendor call').parentSpanContext?.spanId).toBe(hydrate.spanContext().spanId);
    });

    it('a hydrate is a trace of its own, whoever came first, and all who waited link to it', async () => {
      const { connections } = instrumented({ create: async () => { await Promise.resolve(); return {}; } });
      await Promise.all(['a', 'b', 'c'].map((name) =>
        context.with(trace.setSpan(context.active(), tracer.startSpan(name)), () => connections.use('acme', () => {}))));
      const hydrate = one('hydrant.hydrate');
      expect(hydrate.parentSpanContext).toBeUndefined();
      expect(hydrate.attributes).toEqual({ 'hydrant.connection.id': 'acme', 'hydrant.connection.version': '1' });
      expect(named('hydrant.use').map(({ links }) => links[0]?.context.traceId)).toEqual([0, 0, 0].map(() => hydrate.spanContext().traceId));
      expect(new Set(named('hydrant.use').map((span) => span.spanContext().traceId)).size).toBe(3);
    });

    it('a warm use has no link, and is not cold', async () => {
      const { connections } = instrumented();
      await connections.use('acme', () => {});
      await new Promise((resolve) => { setImmediate(resolve); });
      spans.reset();
      await connections.use('acme', () => {});
      expect(one('hydrant.use').links).toEqual([]);
      expect(one('hydrant.use').attributes['hydrant.cold']).toBe(false);
    });

    it('a dispose tells why', async () => {
      const { connections, registry } = instrumented({ dispose: async () => {} });
      await connections.use('acme', () => {});
      registry.invalidate('acme');
      await settle();
      expect(one('hydrant.dispose').attributes).toEqual({
        'hydrant.connection.id': 'acme', 'hydrant.connection.version': '1', 'hydrant.dispose.reason': 'invalidated',
      });
    });

    it('an acquire ends when the lease is there', async () => {
      const { connections } = instrumented();
      const lease = await connections.acquire('acme');
      expect(one('hydrant.acquire').attributes).toEqual({ 'hydrant.connection.id': 'acme', 'hydrant.cold': true });
      lease.release();
    });

    it('a webhook tells its status', async () => {
      const { connections } = instrumented({ authenticate: () => false, handleWebhook: () => new Response() });
      expect((await connections.handleWebhook('acme', new Request('http://x/'))).status).toBe(401);
      expect(one('hydrant.webhook').attributes).toEqual({ 'hydrant.connection.id': 'acme', 'http.response.status_code': 401 });
    });

    it('failures tell their kind, and nothing of what they say', async () => {
      const { connections } = instrumented({ create: () => { throw new TypeError(`bad token ${SECRET}`); } });
      await expect(connections.use('acme', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
      await expect(connections.use('gone', () => {})).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
      expect(one('hydrant.hydrate').attributes['error.type']).toBe('TypeError');
      expect(named('hydrant.use').map(({ attributes, status }) => [attributes['error.type'], status])).toEqual([
        ['HYDRATION_FAILED', { code: SpanStatusCode.ERROR }], ['CONNECTION_NOT_FOUND', { code: SpanStatusCode.ERROR }],
      ]);
      const told = JSON.stringify(spans.getFinishedSpans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status })));
      expect(told).not.toContain(SECRET);
    });
  });

  describe('instrumentFactory', () => {
    it('leaves what is synchronous so, and everything else as it was', async () => {
      class Factory {
        #made = 0;
        readonly replacement = 'drain-first' as const;
        readonly authenticate = 'in-handler' as const;
        create = (): { made: number } => ({ made: ++this.#made });
        handleWebhook(): Response { return new Response(String(this.#made)); }
      }
      const wrapped = instrumentFactory<Row, { made: number }, unknown>(new Factory(), { tracer }) as unknown as Factory & Record<'create', (...args: unknown[]) => unknown>;
      expect(wrapped.create({ id: 'a', version: 1, status: 'active', secret: '' }, {})).toEqual({ made: 1 });
      expect(await wrapped.handleWebhook().text()).toBe('1');
      expect([wrapped.replacement, wrapped.authenticate, 'dispose' in wrapped]).toEqual(['drain-first', 'in-handler', false]);
    });

    it('takes what factoryByPlatform made: each platform keeps its own ways', async () => {
      const create = (): object => ({});
      const factory = factoryByPlatform('platform', {
        slack: { create, authenticate: () => true, handleWebhook: () => new Response('slack'), maxConcurrentHydrations: 1 },
        telegram: { create, authenticate: () => true, handleWebhook: () => new Response('telegram') },
      });
      const store = new MemoryStore<any>([{ id: 's', platform: 'slack' }, { id: 't', platform: 'telegram' }]);
      const registry = new ConnectionRegistry<any, object>({ store, factory: instrumentFactory<any, object, unknown>(factory, { tracer }) });
      const answers = await Promise.all(['s', 't'].map(async (id) => (await registry.handleWebhook(id, new Request('http://x/'))).text()));
      expect(answers).toEqual(['slack', 'telegram']);
      expect(named('hydrant.hydrate')).toHaveLength(2);
      await registry.close();
    });
  });

  describe('metrics', () => {
    it('count connections by state, and tell the caps', async () => {
      const { connections, registry } = instrumented({}, { maxInstances: 7 });
      const lease = await connections.acquire('acme');
      await connections.use('other', () => {});
      const counts = Object.fromEntries((await points('hydrant.connection.count')).map(({ attributes, value }) => [attributes['hydrant.connection.state'], value]));
      expect(counts).toEqual({ idle: 1, leased: 1, hydrating: 0, draining: 0, disposing: 0 });
      expect(await points('hydrant.connection.max')).toEqual([{ attributes: bots, value: 7 }]);
      expect(await points('hydrant.hydration.queued')).toEqual([{ attributes: bots, value: 0 }]);
      registry.invalidate('acme');
      expect((await points('hydrant.connection.count')).find(({ attributes }) => attributes['hydrant.connection.state'] === 'draining')?.value).toBe(1);
      lease.release();
    });

    it('tell staleness and the longest lease, in seconds', async () => {
      const { connections } = instrumented({}, { sweepIntervalMs: 0 });
      const lease = await connections.acquire('acme');
      await clock.advance(2_500);
      expect(await points('hydrant.connection.staleness')).toEqual([{ attributes: bots, value: 2.5 }]);
      expect(await points('hydrant.lease.age')).toEqual([{ attributes: bots, value: 2.5 }]);
      lease.release();
      expect(await points('hydrant.lease.age')).toEqual([{ attributes: bots, value: 0 }]);
    });

    it('tell how long hydrates take, on the registry’s clock, and failures by code', async () => {
      let fail = false;
      const { connections, registry } = instrumented({
        create: () => new Promise<object>((resolve, reject) => { clock.setTimeout(() => { if (fail) reject(new Error('no')); else resolve({}); }, 250, { ref: true }); }),
      });
      const use = connections.use('acme', () => {});
      await clock.advance(250);
      await use;
      expect((await points('hydrant.hydration.duration')).map(({ value }) => [value.count, value.sum])).toEqual([[1, 0.25]]);
      fail = true;
      registry.invalidate('acme');
      const second = expect(connections.use('acme', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
      await clock.advance(250);
      await second;
      expect(await points('hydrant.hydration.failures')).toEqual([{ attributes: { ...bots, 'error.type': 'HYDRATION_FAILED' }, value: 1 }]);
    });

    it('count evictions and other disposals by reason, retirements, and abandoned leases', async () => {
      const { connections, registry } = instrumented({}, { maxInstances: 1 });
      await connections.use('acme', () => {});
      const lease = await connections.acquire('other');
      await settle();
      expect(await points('hydrant.connection.disposals')).toEqual([{ attributes: { ...bots, 'hydrant.dispose.reason': 'evicted' }, value: 1 }]);
      lease.retire(new Error('dead'));
      expect(await points('hydrant.connection.retirements')).toEqual([{ attributes: bots, value: 1 }]);
      const closed = registry.close({ drainTimeoutMs: 0 });
      await clock.advance(0);
      await closed;
      expect(await points('hydrant.lease.abandoned')).toEqual([{ attributes: bots, value: 1 }]);
    });

    it('count webhooks answered with a failure, disposes and reads that failed', async () => {
      const { connections, store, registry } = instrumented({ authenticate: () => false, handleWebhook: () => new Response(), dispose: () => { throw new Error('no'); } });
      await connections.handleWebhook('acme', new Request('http://x/'));
      expect(await points('hydrant.webhook.failures')).toEqual([{ attributes: { ...bots, 'error.type': 'UNAUTHENTICATED', 'hydrant.webhook.acknowledged': false }, value: 1 }]);
      await connections.use('acme', () => {});
      registry.invalidate('acme');
      await settle();
      expect(await points('hydrant.dispose.failures')).toEqual([{ attributes: bots, value: 1 }]);
      store.get = () => Promise.reject(new Error('down'));
      await expect(connections.use('acme', () => {})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(await points('hydrant.store.failures')).toEqual([{ attributes: bots, value: 1 }]);
    });

    it('tell how long uses wait and last, and what of them failed, without an id', async () => {
      const { connections } = instrumented();
      await connections.use('acme', () => {});
      await expect(connections.use('acme', () => { throw new RangeError('no'); })).rejects.toThrow('no');
      await expect(connections.use('gone', () => {})).rejects.toThrow();
      const kinds = async (name: string): Promise<unknown[]> => (await points(name)).map(({ attributes, value }) => [attributes['error.type'], value.count]);
      expect(await kinds('hydrant.use.wait_time')).toEqual([[undefined, 2], ['CONNECTION_NOT_FOUND', 1]]);
      expect(await kinds('hydrant.use.duration')).toEqual([[undefined, 1], ['RangeError', 1]]);
      expect(JSON.stringify(exporter.getMetrics())).not.toMatch(/acme|xoxb/);
    });

    it('end with stop, and uses go on', async () => {
      const { connections, registry } = instrumented();
      connections.stop();
      await connections.use('acme', () => {});
      registry.invalidate('acme');
      await settle();
      expect(await points('hydrant.connection.count')).toEqual([]);
      expect(await points('hydrant.connection.disposals')).toEqual([]);
    });
  });

  it('instrumentRunner tells claims held, this replica’s share, and how tenures ended', async () => {
    const listeners = new Map<string, (payload: any) => void>();
    const runner: InstrumentedRunner = {
      snapshot: () => ({ replica: 'a', state: 'running', members: ['a'], listed: 5, share: 5, load: 3, connections: [] }),
      on: (event, listener) => { listeners.set(event, listener as (payload: any) => void); return () => void listeners.delete(event); },
    };
    const stop = instrumentRunner(runner, { meter: meters.getMeter('test') });
    listeners.get('ended')?.({ id: 'a', token: 1n, reason: 'lost' });
    listeners.get('claimsFailed')?.({ call: 'renew', error: new Error('down') });
    expect(await points('hydrant.claim.held')).toEqual([{ attributes: {}, value: 3 }]);
    expect(await points('hydrant.claim.share')).toEqual([{ attributes: {}, value: 5 }]);
    expect(await points('hydrant.claim.ended')).toEqual([{ attributes: { 'hydrant.tenure.end': 'lost' }, value: 1 }]);
    expect(await points('hydrant.claim.store_failures')).toEqual([{ attributes: { 'hydrant.claim.call': 'renew' }, value: 1 }]);
    stop();
    expect(listeners.size).toBe(0);
  });
});
