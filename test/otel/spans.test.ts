import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { describe, expect, test, vi } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { instrument } from 'hydrant/otel';
import { settle } from 'hydrant/testing';
import express from 'express';
import { expressWebhook } from 'hydrant/express';
import { send } from '../adapters/support/clients.js';
import { listen } from '../adapters/support/servers.js';
import { systemClock } from '../../src/clock.js';
import { realSdk, SECRET } from './support/sdk.js';

describe('spans of hydrant/otel, with the real SDK', () => {
  const { spans, tracer, named, one, instrumented } = realSdk();

  test('a cold use has a span with a link to the hydrate it waited for, and its work is a child', async () => {
    const { connections } = instrumented({ create: async () => { tracer.startSpan('vendor call').end(); return {}; } });
    const request = tracer.startSpan('request');
    await context.with(trace.setSpan(context.active(), request), () =>
      connections.use('acme', () => {
        tracer.startSpan('work').end();
      }),
    );
    const [use, hydrate] = [one('hydrant.use'), one('hydrant.hydrate')];
    expect(use.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
    expect(use.attributes).toEqual({ 'hydrant.connection.id': 'acme', 'hydrant.cold': true });
    expect(use.links.map((link) => link.context.spanId)).toEqual([hydrate.spanContext().spanId]);
    expect(one('work').parentSpanContext?.spanId).toBe(use.spanContext().spanId);
    expect(one('vendor call').parentSpanContext?.spanId).toBe(hydrate.spanContext().spanId);
  });

  test('a hydrate is a trace of its own, and all uses that waited link to it', async () => {
    const { connections } = instrumented({ create: async () => { await Promise.resolve(); return {}; } });
    await Promise.all(['a', 'b', 'c'].map((name) =>
      context.with(trace.setSpan(context.active(), tracer.startSpan(name)), () => connections.use('acme', () => {}))));
    const hydrate = one('hydrant.hydrate');
    expect(hydrate.parentSpanContext).toBeUndefined();
    expect(hydrate.attributes).toEqual({ 'hydrant.connection.id': 'acme', 'hydrant.connection.version': '1' });
    expect(named('hydrant.use').map(({ links }) => links[0]?.context.traceId)).toEqual(
      [0, 0, 0].map(() => hydrate.spanContext().traceId),
    );
    expect(new Set(named('hydrant.use').map((span) => span.spanContext().traceId)).size).toBe(3);
  });

  test('a warm use has no link, and is not cold', async () => {
    const { connections } = instrumented();
    await connections.use('acme', () => {});
    await new Promise((resolve) => { setImmediate(resolve); });
    spans.reset();
    await connections.use('acme', () => {});
    expect(one('hydrant.use').links).toEqual([]);
    expect(one('hydrant.use').attributes['hydrant.cold']).toBe(false);
  });

  test('a use that came during the hydrate is cold too', async () => {
    let arrive: (() => void) | undefined;
    const { connections } = instrumented({ create: () => new Promise((resolve) => { arrive = () => resolve({}); }) });
    const first = connections.use('acme', () => {});
    await settle();
    const second = connections.use('acme', () => {});
    arrive?.();
    await Promise.all([first, second]);
    const uses = named('hydrant.use').map(({ attributes, links }) => ({ cold: attributes['hydrant.cold'], links: links.length }));
    expect(uses).toEqual([{ cold: true, links: 1 }, { cold: true, links: 1 }]);
  });

  test('a use whose hydrate took no measurable time is cold too', async () => {
    vi.spyOn(systemClock, 'monotonic').mockReturnValue(1_000);
    const { connections } = instrumented();
    await connections.use('acme', () => {});
    expect(one('hydrant.use').attributes['hydrant.cold']).toBe(true);
  });

  test('without traced hydrates there is no link', async () => {
    await using registry = new ConnectionRegistry({ store: new MemoryStore([{ id: 'acme' }]), factory: { create: () => ({}) } });
    expect(await instrument(registry, { tracer }).use('acme', () => 'served')).toBe('served');
    expect(one('hydrant.use').links).toEqual([]);
  });

  test('the span of a dispose has its reason', async () => {
    const { connections, registry } = instrumented({ dispose: async () => {} });
    await connections.use('acme', () => {});
    registry.invalidate('acme');
    await settle();
    expect(one('hydrant.dispose').attributes).toEqual({
      'hydrant.connection.id': 'acme', 'hydrant.connection.version': '1', 'hydrant.dispose.reason': 'invalidated',
    });
  });

  test('a dispose whose result throws when it is read has failed', async () => {
    const strict = new Proxy({}, { get() { throw new RangeError('no such property'); } });
    const { connections, registry } = instrumented({ dispose: () => strict as never });
    await connections.use('acme', () => {});
    registry.invalidate('acme');
    await settle();
    expect(one('hydrant.dispose').attributes['error.type']).toBe('RangeError');
  });

  test('the span of an acquire ends when the lease is granted', async () => {
    const { connections } = instrumented();
    const lease = await connections.acquire('acme');
    expect(one('hydrant.acquire').attributes).toEqual({ 'hydrant.connection.id': 'acme', 'hydrant.cold': true });
    lease.release();
  });

  test('the span of an acquire that fails has its error, and acquire rejects', async () => {
    const { connections } = instrumented();
    await expect(connections.acquire('gone')).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
    expect(one('hydrant.acquire').attributes['error.type']).toBe('CONNECTION_NOT_FOUND');
  });

  test('tryAcquire has no span', async () => {
    const { connections } = instrumented({}, { freshness: { maxStaleMs: 60_000 } });
    await connections.use('acme', () => {});
    const lease = connections.tryAcquire('acme');
    expect(lease?.record.id).toBe('acme');
    expect(connections.tryAcquire('gone')).toBeUndefined();
    expect(named('hydrant.acquire')).toEqual([]);
    lease?.release();
  });

  test('the span of a webhook has its status', async () => {
    const { connections } = instrumented({ authenticate: () => false, handleWebhook: () => new Response() });
    expect((await connections.handleWebhook('acme', new Request('http://x/'))).status).toBe(401);
    expect(one('hydrant.webhook').attributes).toEqual({ 'hydrant.connection.id': 'acme', 'http.response.status_code': 401 });
  });

  test('adapters keep to the limits of the registry, and their webhooks have spans', async () => {
    const { connections } = instrumented(
      { authenticate: () => false, handleWebhook: () => new Response() },
      { webhook: { maxBodyBytes: 4, maxUnauthenticated: 1 } },
    );
    const lookups: ((id: string) => void)[] = [];
    const { port } = await listen(express().post('/', expressWebhook(connections, {
      connectionId: () => new Promise((resolve) => { lookups.push(resolve); }),
    })));
    expect((await send(port, '/', { body: 'longer' })).status).toBe(413);
    const first = send(port, '/', { body: 'x' });
    while (lookups.length === 0) await settle();
    expect((await send(port, '/', { body: 'x' })).json.code).toBe('OVERLOADED');
    lookups[0]!('acme');
    expect((await first).status).toBe(401);
    expect(lookups).toHaveLength(1);
    expect(one('hydrant.webhook').attributes['http.response.status_code']).toBe(401);
  });

  test('adapters call a handleWebhook that the application has wrapped', async () => {
    const { registry } = instrumented({ authenticate: 'in-handler', handleWebhook: () => new Response('served') });
    const { handleWebhook } = registry;
    const wrapped = vi.fn<typeof handleWebhook>((id, request) => handleWebhook(id, request));
    Object.defineProperty(registry, 'handleWebhook', { value: wrapped });
    const connections = instrument(registry, { tracer });
    const { port } = await listen(express().post('/:connectionId', expressWebhook(connections)));
    expect((await send(port, '/acme', { body: 'x' })).text).toBe('served');
    expect(wrapped).toHaveBeenCalledTimes(1);
    expect(one('hydrant.webhook').attributes['http.response.status_code']).toBe(200);
  });

  test('failures have their type, and not their message', async () => {
    const { connections } = instrumented({ create: () => { throw new TypeError(`bad token ${SECRET}`); } });
    await expect(connections.use('acme', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    await expect(connections.use('gone', () => {})).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
    expect(one('hydrant.hydrate').attributes['error.type']).toBe('TypeError');
    const uses = named('hydrant.use').map(({ attributes, status }) => ({ error: attributes['error.type'], status }));
    expect(uses).toEqual([
      { error: 'HYDRATION_FAILED', status: { code: SpanStatusCode.ERROR } },
      { error: 'CONNECTION_NOT_FOUND', status: { code: SpanStatusCode.ERROR } },
    ]);
    const told = JSON.stringify(
      spans.getFinishedSpans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
    );
    expect(told).not.toContain(SECRET);
  });

  test('an id is cut at 1 024 characters, and one that is not a string is left out', async () => {
    const { connections } = instrumented();
    const calls: ((id: string) => Promise<unknown>)[] = [
      (id) => connections.use(id, () => {}),
      (id) => connections.acquire(id),
      (id) => connections.handleWebhook(id, new Request('http://gateway.test/')),
    ];
    for (const call of calls) for (const id of ['x'.repeat(1_000_000), 7 as never]) await call(id).catch(() => {});
    const ids = spans.getFinishedSpans().map(({ name, attributes }) => ({ name, id: attributes['hydrant.connection.id'] }));
    expect(ids).toEqual(
      ['hydrant.use', 'hydrant.acquire', 'hydrant.webhook'].flatMap((name) => [
        { name, id: 'x'.repeat(1_024) },
        { name, id: undefined },
      ]),
    );
  });
});
