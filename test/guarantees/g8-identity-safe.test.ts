import { describe, expect, test } from 'vitest';
import { Harness } from '../support/harness.js';
import { post, seen } from '../support/webhooks.js';

describe('G8 identity-safe', () => {
  test("an old instance's last release, after invalidate and re-hydrate, does not touch its successor", async () => {
    const h = new Harness();
    h.rows.put('a');
    const old = await h.registry.acquire('a');
    h.registry.invalidate('a');
    const successor = await h.registry.acquire('a');
    expect(successor.instance).not.toBe(old.instance);
    old.release();
    await h.settle();
    expect(old.instance.disposed).toBe('invalidated');
    expect(successor.instance.disposed).toBeUndefined();
    expect(successor.stale).toBe(false);
    successor.release();
    expect(await h.registry.use('a', (instance) => instance)).toBe(successor.instance);
  });

  test("an old instance's slow dispose does not touch its successor", async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    const slow = h.holdDispose();
    h.registry.invalidate('a');
    const successor = await h.registry.use('a', (instance) => instance);
    slow.resolve();
    await h.settle();
    expect(await h.registry.use('a', (instance) => instance)).toBe(successor);
  });

  test('a replaced hydrate that fails neither removes nor backs off its successor', async () => {
    const h = new Harness();
    h.rows.put('a');
    const old = h.holdCreate();
    const early = h.registry.use('a', () => {});
    early.catch(() => {});
    await h.settle();
    h.rows.put('a');
    const successor = await h.registry.use('a', (instance) => instance);
    old.reject(new Error('the old token is refused'));
    await expect(early).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    expect(await h.registry.use('a', (instance) => instance)).toBe(successor);
  });

  test("an old instance that retires itself does not touch its successor", async () => {
    const h = new Harness();
    h.rows.put('a');
    const old = await h.registry.acquire('a');
    h.registry.invalidate('a');
    const successor = await h.registry.use('a', (instance) => instance);
    h.contexts[0]?.retire(new Error('socket closed'));
    old.retire();
    old.release();
    await h.settle();
    expect(await h.registry.use('a', (instance) => instance)).toBe(successor);
  });

  test('after an invalidate during a row read, its waiters may use the result, the next use does not', async () => {
    const h = new Harness();
    h.rows.put('a');
    h.rows.hold();
    const early = h.registry.acquire('a');
    await h.settle();
    h.registry.invalidate('a');
    const late = h.registry.acquire('a');
    h.rows.letGo();
    await h.settle();
    h.rows.letAllGo();
    expect((await early).stale).toBe(true);
    expect((await late).stale).toBe(false);
    expect((await late).instance).not.toBe((await early).instance);
    (await early).release();
    await h.settle();
    expect(h.log.at(-1)).toBe('dispose a@v1 invalidated');
  });

  test('an invalidate while an unknown id is read leaves no negative entry', async () => {
    const h = new Harness();
    h.rows.hold();
    const early = h.registry.use('a', () => {});
    early.catch(() => {});
    await h.settle();
    h.rows.put('a');
    h.registry.invalidate('a');
    h.rows.letAllGo();
    await expect(early).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
    expect(await seen(await h.registry.handleWebhook('a', post()))).toMatchObject({ code: 'NO_WEBHOOK_HANDLER' });
  });
});
