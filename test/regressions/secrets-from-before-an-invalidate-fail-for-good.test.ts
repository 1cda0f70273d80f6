import { ConnectionError } from 'hydrant';
import { expect, test } from 'vitest';
import { heldSecrets, post, seen, webhookHarness } from '../support/webhooks.js';

test.each([
  { what: 'permanently', retryable: false },
  { what: 'for now', retryable: true },
] as const)(
  'secrets requested before an invalidate that fail $what refuse no use or delivery after it',
  async ({ retryable }) => {
    const { calls, secrets } = heldSecrets();
    const h = webhookHarness({
      failureBackoff: { initialMs: 60_000, maxMs: 60_000 },
      factory: { secrets },
    });
    h.rows.put('a');
    const early = h.registry.handleWebhook('a', post());
    await h.settle();
    expect(calls.length).toBe(1);
    const afterRepairingTheVault = (): void => void h.registry.invalidate('a');
    afterRepairingTheVault();
    const late = retryable
      ? undefined
      : h.registry.use('a', ({ name }) => name).catch((error: ConnectionError) => `refused: ${error.code}`);
    await h.settle();
    calls[0]!.reject(new ConnectionError('HYDRATION_FAILED', 'the token was revoked', { retryable }));
    await h.settle();
    expect((await seen(await early)).status).toBe(503);
    if (late !== undefined) {
      calls[1]!.resolve('good');
      await h.settle();
      expect(await late).toMatch(/^a@v1/);
      return;
    }
    const next = h.registry.handleWebhook('a', post());
    await h.settle();
    calls[1]?.resolve('good');
    await h.settle();
    expect((await seen(await next)).status).toBe(200);
  },
);
