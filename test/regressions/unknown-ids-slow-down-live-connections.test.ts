import { ConnectionRegistry, type ConnectionStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { expect, test } from 'vitest';

interface Row { readonly id: string; readonly version: number; readonly status: 'active' }
const ROUND_TRIP_MS = 5;

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** How long a use of a live connection takes, with so many deliveries for unknown ids before it. */
async function latency(unknown: number): Promise<number> {
  const clock = new ManualClock();
  const store: ConnectionStore<Row> = {
    get: (id) => new Promise((resolve) => {
      clock.setTimeout(() => resolve(id === 'live' ? { id, version: 1, status: 'active' } : undefined), ROUND_TRIP_MS, {
        ref: true,
      });
    }),
  };
  const registry = new ConnectionRegistry<Row, object>({
    store,
    clock,
    sweepIntervalMs: 0,
    factory: { create: () => ({}), authenticate: () => false, handleWebhook: () => new Response() },
  });
  registry.on('webhookFailed', () => {});
  const first = registry.use('live', () => {});
  await clock.advance(ROUND_TRIP_MS);
  await first;

  const deliveries = Array.from({ length: unknown }, (_, index) =>
    registry.handleWebhook(`unknown-${index}`, new Request('http://gateway.test/', { method: 'POST' })));
  await turn();
  const use: { took?: number } = {};
  const began = clock.monotonic();
  void registry.use('live', () => {}).then(() => { use.took = clock.monotonic() - began; });
  while (use.took === undefined) {
    clock.advanceSync(1);
    await turn();
    await turn();
  }
  const closed = registry.close({ drainTimeoutMs: 0 });
  clock.advanceSync(0);
  await closed;
  expect((await Promise.all(deliveries)).every(({ status }) => status === 404 || status === 503)).toBe(true);
  return use.took;
}

test('a use of a live connection does not queue behind the reads of unknown ids', async () => {
  const alone = await latency(0);
  expect(await latency(1_000)).toBeLessThanOrEqual(2 * alone);
});
