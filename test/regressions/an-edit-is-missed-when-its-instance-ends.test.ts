import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { WatchedRows } from '../support/harness.js';
import { post, webhookHarness } from '../support/webhooks.js';

/** Hints, and versions that are held back. */
class Hinting extends WatchedRows {
  readonly gate = deferred();

  async getVersions(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    await this.gate.promise;
    return new Map(ids.map((id) => [id, this.rows.get(id)!.version]));
  }
}

test('an edit announced by a hint is not lost when the instance ends before the row is read', async () => {
  const store = new Hinting();
  const authenticated = deferred<boolean>();
  const h = webhookHarness({
    store, freshness: { maxStaleMs: 3_600_000 }, sweepIntervalMs: 0, idleTimeoutMs: 50,
    factory: { authenticate: () => authenticated.promise },
  });
  await h.settle();
  store.put('a');
  await h.registry.use('a', () => {});
  const delivery = h.registry.handleWebhook('a', post());
  await h.clock.advance(10);
  store.put('a');
  store.hints.changed(['a']);
  await h.clock.advance(100);
  expect(h.log).toEqual(['create a@v1', 'dispose a@v1 idle']);
  store.gate.resolve();
  await h.clock.advance(10);

  authenticated.resolve(true);
  expect(await (await delivery).text()).toContain('a@v2');
  expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v2');
});
