import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { post, seen, webhookHarness } from '../support/webhooks.js';

beforeEach(() => { vi.spyOn(Math, 'random').mockReturnValue(0.9); });
afterEach(() => { vi.restoreAllMocks(); });

/** A vault that fails until the test repairs it. */
function gateway() {
  let sealed = true;
  let calls = 0;
  const h = webhookHarness({
    factory: {
      secrets: () => {
        calls += 1;
        if (sealed) throw new Error('ThrottlingException');
        return 's';
      },
    },
  });
  h.rows.put('a');
  const forge = async () => (await seen(await h.registry.handleWebhook('a', post('x', { secret: 'forged' })))).code;
  return { h, forge, repair: () => { sealed = false; }, calls: () => calls };
}

test('secrets that fail for unauthenticated senders refuse no use', async () => {
  const { h, forge, repair } = gateway();
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await forge();
    await h.clock.advance(5_000);
  }
  await forge();
  expect(await forge()).toBe('BACKING_OFF');
  repair();
  expect(await h.registry.use('a', ({ name }) => name)).toBe('a@v1#0');
  expect((await h.registry.handleWebhook('a', post())).status, 'its secrets are known now').toBe(200);
});

test('unauthenticated senders delay genuine ones by at most five seconds after the vault has recovered', async () => {
  const { h, forge, repair, calls } = gateway();
  for (let second = 0; second < 600; second += 1) {
    await forge();
    await h.clock.advance(1_000);
  }
  expect(calls(), 'about one in five seconds').toBeGreaterThan(100);
  expect(calls(), 'fewer than one in a second').toBeLessThan(600);
  repair();
  await h.clock.advance(5_000);
  expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
});

test('an invalidate forgets failures caused by unauthenticated senders', async () => {
  const { h, forge, repair } = gateway();
  await forge();
  expect(await forge()).toBe('BACKING_OFF');
  repair();
  h.registry.invalidate('a');
  expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
});

test('after a failed hydrate, unauthenticated senders do not cause another call to the vault', async () => {
  const { h, forge, calls } = gateway();
  await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
  expect(await forge()).toBe('BACKING_OFF');
  expect(calls()).toBe(1);
});
