import { ConnectionRegistry, isConnectionError, type ConnectionErrorCode, type ConnectionStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import type { Row } from '../../support/harness.js';

/** The code and the message of a ConnectionError. */
export async function failureOf(work: Promise<unknown>): Promise<{ code: ConnectionErrorCode; message: string }> {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  if (!isConnectionError(error)) throw new Error(`expected a ConnectionError, got ${String(error)}`);
  return { code: error.code, message: error.message };
}

/** A registry over a store with these members, valid or not. */
export function over(store: Partial<Record<keyof ConnectionStore, unknown>>, tuning: object = {}) {
  const clock = new ManualClock();
  const created: string[] = [];
  const registry = new ConnectionRegistry<Row, { token: string }>({
    store: store as never, clock, ...tuning,
    factory: {
      create: (row) => { created.push(row.id); return { token: row.token }; },
      authenticate: () => true,
      handleWebhook: (instance) => new Response(instance.token),
    },
  });
  registry.on('webhookFailed', () => {});
  registry.on('storeFailed', () => {});
  return { registry, clock, created };
}
