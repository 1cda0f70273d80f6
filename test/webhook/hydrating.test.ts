import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import type { HarnessOptions, Row } from '../support/harness.js';
import { post, seen, webhookHarness } from '../support/webhooks.js';

/** A harness on which the test says when a request has been authenticated. */
function slowly(options: HarnessOptions = {}) {
  const verdict = deferred<boolean>();
  const h = webhookHarness({
    idleTimeoutMs: Infinity,
    sweepIntervalMs: 0,
    ...options,
    factory: { ...options.factory, authenticate: () => verdict.promise },
  });
  return { h, verdict };
}

describe('a webhook whose row is read again while it is authenticated', () => {
  test('runs on the newer instance that came to life meanwhile', async () => {
    const { h, verdict } = slowly();
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.clock.advance(10);
    h.rows.put('a');
    await h.registry.use('a', () => {});
    verdict.resolve(true);
    expect(await seen(await response)).toMatchObject({ body: 'a@v2#0: hello' });
    expect(h.log).toEqual(['create a@v2']);
  });

  test('gets an instance of the newer row although the older one is kept as fallback', async () => {
    const { h, verdict } = slowly({ keepLastGood: true });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    await h.clock.advance(10);
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.clock.advance(10);
    verdict.resolve(true);
    expect(await seen(await response)).toMatchObject({ body: 'a@v2#1: hello' });
  });

  test('costs no read if the instance is fresh enough', async () => {
    const { h, verdict } = slowly({ freshness: { maxStaleMs: 1_000 } });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    verdict.resolve(true);
    expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
    expect(h.rows.reads).toHaveLength(1);
  });

  test('ignores an older row that was passed over once', async () => {
    const { h, verdict } = slowly({ freshness: { maxStaleMs: 1_000 } });
    h.rows.put('a');
    verdict.resolve(true);
    h.holdCreate();
    const leaving = h.registry.handleWebhook('a', post('x', { secret: 'x' }));
    void leaving;
    await h.settle();
    h.creating[0]?.resolve();
    await leaving;
    await h.clock.advance(2_000);
    h.rows.put('a');
    await h.registry.use('a', () => {});
    const reads = h.rows.reads.length;
    await h.clock.advance(10);
    expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
    expect(h.rows.reads).toHaveLength(reads);
  });

  test('is served although a row without a version was read meanwhile', async () => {
    const { h, verdict } = slowly();
    const row = h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.clock.advance(10);
    h.rows.rows.set('a', {} as Row);
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'INVALID_RECORD' });
    h.rows.rows.set('a', row);
    verdict.resolve(true);
    expect((await response).status).toBe(200);
    expect(h.rows.reads).toHaveLength(2);
  });

  test('shares its instance with a use whose row is parsed asynchronously at the same time', async () => {
    const gates: ReturnType<typeof deferred>[] = [];
    const validate = (value: unknown) => {
      const gate = deferred();
      gates.push(gate);
      return gate.promise.then(() => ({ value: value as Row }));
    };
    const { h, verdict } = slowly({ recordSchema: { '~standard': { version: 1, vendor: 'test', validate } } } as HarnessOptions);
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.settle();
    gates[0]?.resolve(undefined);
    await h.clock.advance(10);
    const use = h.registry.use('a', ({ name }) => name);
    await h.settle();
    verdict.resolve(true);
    expect((await response).status).toBe(200);
    gates[1]?.resolve(undefined);
    expect(await use).toBe('a@v1#0');
    expect(h.creates).toBe(1);
  });

  test('under keepLastGood, goes to the last good instance if the row cannot be served', async () => {
    const { h, verdict } = slowly({ keepLastGood: true });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.put('a', { status: 'paused' as never });
    verdict.resolve(true);
    expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
    expect(h.creates).toBe(1);
  });
});
