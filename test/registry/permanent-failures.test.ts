import { ConnectionError, isConnectionError } from 'hydrant';
import { describe, expect, test } from 'vitest';
import { Harness, type HarnessOptions, type Row } from '../support/harness.js';
import { heldSecrets, post, seen, webhookHarness } from '../support/webhooks.js';

const revoked = (
  code: ConstructorParameters<typeof ConnectionError>[0] = 'CONNECTION_STOPPED',
  connectionId?: string,
): ConnectionError =>
  new ConnectionError(code, 'the workspace has removed the app', {
    retryable: false,
    ...(connectionId !== undefined && { connectionId }),
  });

const failing = (
  where: 'create' | 'secrets',
  fail: (row: Row) => void,
  options: HarnessOptions = {},
): { h: Harness; calls: () => number } => {
  let calls = 0;
  const h: Harness = webhookHarness({
    ...options,
    factory: {
      ...options.factory,
      [where]: async (row: Row, context: never) => {
        calls += 1;
        fail(row);
        return where === 'create' ? h.create(row, context) : 'secret';
      },
    },
  });
  h.rows.put('a');
  return { h, calls: () => calls };
};

describe.each(['create', 'secrets'] as const)('a ConnectionError with retryable: false from %s', (where) => {
  test('holds for this version: no further call, and every use is refused with its code', async () => {
    const { h, calls } = failing(where, () => { throw revoked(); });
    const use = (): Promise<unknown> => h.registry.use('a', () => {}).catch((error: unknown) => error);
    const first = await use();
    expect(first).toMatchObject({
      code: 'CONNECTION_STOPPED',
      retryable: false,
      connectionId: 'a',
      message: 'the workspace has removed the app',
    });
    await h.clock.advance(86_400_000);
    expect(await use()).toBe(first);
    expect(calls()).toBe(1);
  });

  test('is reported by an event, once', async () => {
    const { h } = failing(where, () => { throw revoked(); });
    for (let n = 0; n < 3; n += 1) await h.registry.use('a', () => {}).catch(() => {});
    expect(h.eventsOf('hydrationFailed')).toMatchObject([
      { id: 'a', version: 'v1', failures: 1, retryAfterMs: Infinity, error: { code: 'CONNECTION_STOPPED', retryable: false } },
    ]);
  });

  test('answers webhooks with its status', async () => {
    const { h, calls } = failing(where, () => { throw revoked(); });
    for (let n = 0; n < 3; n += 1) {
      expect(await seen(await h.registry.handleWebhook('a', post()))).toEqual({ status: 404, code: 'CONNECTION_STOPPED' });
    }
    expect(calls()).toBe(1);
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'CONNECTION_STOPPED' });
    expect(calls()).toBe(1);
  });

  test.each(['a new version', 'invalidate'])('ends with %s', async (end) => {
    let dead = true;
    const { h } = failing(where, () => { if (dead) throw revoked(); });
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'CONNECTION_STOPPED' });
    dead = false;
    if (end === 'invalidate') await h.registry.invalidate('a');
    else h.rows.put('a');
    await h.registry.use('a', () => {});
    expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
  });

  test('of the previous version does not hide a failure of the next one', async () => {
    const { h, calls } = failing(where, ({ token }) => { if (token !== 'good') throw revoked(); });
    await h.registry.use('a', () => {}).catch(() => {});
    h.rows.put('a', { token: 'worse' });
    for (let n = 0; n < 3; n += 1) expect((await h.registry.handleWebhook('a', post())).status).toBe(404);
    expect(calls()).toBe(2);
    h.rows.put('a', { token: 'good' });
    await h.registry.use('a', () => {});
    h.contexts[0]?.retire(new Error('kicked'));
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'BACKING_OFF' });
  });

  test('leaves the last good instance serving, with keepLastGood', async () => {
    const { h } = failing(where, ({ token }) => { if (token === 'bad') throw revoked(); }, { keepLastGood: true });
    const good = await h.registry.use('a', ({ name }) => name);
    h.rows.put('a', { token: 'bad' });
    for (let n = 0; n < 2; n += 1) expect(await h.registry.use('a', ({ name }) => name)).toBe(good);
    expect(h.eventsOf('hydrationFailed')).toHaveLength(1);
  });

  test('about another connection says nothing about this one', async () => {
    const { h } = failing(where, () => { throw revoked('CONNECTION_NOT_FOUND', 'the database of a'); });
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED', retryable: true });
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'BACKING_OFF' });
  });
});

test('a permanent failure outlasts a later ordinary failure of the same version', async () => {
  const { calls, secrets } = heldSecrets();
  const h = webhookHarness({ factory: { secrets } });
  h.rows.put('a');
  const delivery = h.registry.handleWebhook('a', post());
  await h.settle();
  const use = h.registry.use('a', () => {}).catch((error: unknown) => error);
  await h.settle();
  expect(calls, 'a hydrate does not wait for the secrets of an unauthenticated delivery').toHaveLength(2);
  calls[0]!.reject(revoked());
  expect((await delivery).status).toBe(404);
  calls[1]!.reject(new Error('the vault is down'));
  expect(await use).toMatchObject({ code: 'HYDRATION_FAILED' });
  await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'CONNECTION_STOPPED', retryable: false });
});

test('a use that waited for a permit while a delivery learned of a permanent failure creates nothing', async () => {
  const { calls, secrets } = heldSecrets();
  const h = webhookHarness({ maxConcurrentHydrations: 1, factory: { secrets } });
  for (const id of ['a', 'b']) h.rows.put(id);
  const first = h.registry.use('b', () => {});
  await h.settle();
  const use = h.registry.use('a', () => {}).catch((error: unknown) => error);
  const delivery = h.registry.handleWebhook('a', post());
  await h.settle();
  expect(calls, 'those of b, and those that verify the delivery').toHaveLength(2);
  calls[1]!.reject(revoked());
  expect((await delivery).status).toBe(404);
  calls[0]!.resolve('secret');
  await first;
  expect(await use).toMatchObject({ code: 'CONNECTION_STOPPED', connectionId: 'a', retryable: false });
  expect({ secrets: calls.length, creates: h.contexts.length }).toEqual({ secrets: 2, creates: 1 });
});

test('permanent failures are remembered for at most ten thousand connections', async () => {
  const { h, calls } = failing('create', () => { throw revoked(); }, { maxQueuedHydrations: 20_000 });
  const ids = Array.from({ length: 10_001 }, (_, n) => `c${n}`);
  for (const id of ids) h.rows.put(id);
  const refusals = await Promise.all(ids.map((id) => h.registry.use(id, () => {}).catch((error: unknown) => error)));
  expect(refusals.every((error) => isConnectionError(error, 'CONNECTION_STOPPED'))).toBe(true);
  expect(calls()).toBe(10_001);
  await h.registry.use('c10000', () => {}).catch(() => {});
  expect(calls()).toBe(10_001);
  await h.registry.use('c0', () => {}).catch(() => {});
  expect(calls()).toBe(10_002);
});
