import { expect, test } from 'vitest';
import type { HydrationContext, InstanceFactory, RecordContext, WebhookContext } from 'hydrant';
import { Harness, type Row } from '../support/harness.js';

/* Whoever wraps a factory passes on `{ ...context, … }`: what a context has must be its own. */

test('a copy of a context made by spreading has all its members', async () => {
  const seen: Record<string, unknown> = {};
  const inner = {
    create(row: Row, { signal, retire, onDispose }: HydrationContext) {
      Object.assign(seen, { create: signal instanceof AbortSignal });
      onDispose(() => { Object.assign(seen, { cleanedUp: true }); });
      Object.assign(seen, { retire });
      return { id: row.id };
    },
    authenticate(_request: Request, { signal, record }: RecordContext<Row, unknown>) {
      Object.assign(seen, { authenticate: signal instanceof AbortSignal && record.id });
      return true;
    },
    handleWebhook(_instance: unknown, _request: Request, { signal, record, waitUntil }: WebhookContext<Row>) {
      Object.assign(seen, { handle: signal instanceof AbortSignal && record.id });
      waitUntil(Promise.resolve());
      return new Response('ok');
    },
  };
  const wrapped: InstanceFactory<Row, unknown> = {
    create: (row, context) => inner.create(row, { ...context, secrets: 'of the wrapper' }),
    authenticate: (request, context) => inner.authenticate(request, { ...context }),
    handleWebhook: (instance, request, context) => inner.handleWebhook(instance, request, { ...context }),
  };
  const h = new Harness({ factory: wrapped as never });
  h.rows.put('a');
  expect((await h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }))).status).toBe(200);
  (seen['retire'] as (cause: unknown) => void)('tired');
  await h.settle();
  expect(seen).toMatchObject({ create: true, authenticate: 'a', handle: 'a', cleanedUp: true });
});
