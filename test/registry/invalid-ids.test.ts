import { describe, expect, test } from 'vitest';
import { Harness } from '../support/harness.js';
import { failureOf, over } from './support/any-store.js';

const post = (): Request => new Request('http://gateway.test/', { method: 'POST', body: '{}' });

describe('invalid ids', () => {
  const REFUSED: { what: string; id: unknown }[] = [
    { what: 'empty', id: '' },
    { what: 'a NUL', id: 'a\0b' },
    { what: '10 kB', id: 'x'.repeat(10_240) },
    { what: '1 025 characters', id: 'x'.repeat(1_025) },
    { what: 'undefined', id: undefined },
    { what: 'null', id: null },
    { what: 'a number', id: 5 },
    { what: 'an object', id: {} },
    { what: 'an array', id: ['a'] },
    { what: 'a symbol', id: Symbol('a') },
    { what: 'an object without a prototype', id: Object.create(null) },
    { what: 'an object that throws', id: { toString() { throw new Error('no'); } } },
  ];

  test.each(REFUSED)(
    '$what: use and acquire refuse it, tryAcquire and invalidate ignore it, and nothing is read',
    async ({ id }) => {
      const h = new Harness();
      expect((await failureOf(h.registry.use(id as string, () => 1))).code).toBe('INVALID_CONNECTION_ID');
      const { code, message } = await failureOf(h.registry.acquire(id as string));
      expect(code).toBe('INVALID_CONNECTION_ID');
      expect(message.length).toBeLessThan(120);
      expect(h.registry.tryAcquire(id as string)).toBeUndefined();
      expect(() => h.registry.invalidate(id as string)).not.toThrow();
      expect(h.rows.reads).toEqual([]);
      expect(await h.registry.close()).toEqual({ abandoned: [] });
    },
  );

  test.each<{ id: unknown; told: string }>([
    { id: 'x'.repeat(1_025), told: '1025' },
    { id: '', told: '0' },
    { id: 5, told: 'number' },
    { id: undefined, told: 'undefined' },
  ])('the error names the length or the type, and does not repeat the id: %#', async ({ id, told }) => {
    const { message } = await failureOf(new Harness().registry.use(id as string, () => 1));
    expect(message.split(', got ')[1]).toContain(told);
  });

  test.each([
    ...REFUSED,
    { what: 'a slash', id: 'a/b' },
    { what: 'unicode', id: '日本' },
    { what: 'white space', id: ' a' },
    { what: '129 characters', id: 'x'.repeat(129) },
    { what: 'a line feed', id: 'a\n' },
  ])('$what: a webhook for it is answered 404 without a read', async ({ id }) => {
    const { registry, created } = over({
      get: () => {
        throw new Error('read');
      },
    });
    const response = await registry.handleWebhook(id as string, post());
    expect({ status: response.status, body: await response.json() }).toEqual({
      status: 404,
      body: { type: 'about:blank', title: 'Not Found', status: 404, code: 'INVALID_CONNECTION_ID' },
    });
    expect(created).toEqual([]);
  });

  test('the webhook pattern may match more than valid ids', async () => {
    const { registry } = over({ get: async () => undefined }, { webhook: { connectionId: /^/ } });
    for (const { id, code } of [
      { id: '', code: 'INVALID_CONNECTION_ID' },
      { id: 'a\0', code: 'INVALID_CONNECTION_ID' },
      { id: 'x'.repeat(2_000), code: 'INVALID_CONNECTION_ID' },
      { id: 'a/b', code: 'CONNECTION_NOT_FOUND' },
    ]) {
      const response = await registry.handleWebhook(id as string, post());
      expect({ status: response.status, code: ((await response.json()) as { code: string }).code }).toEqual({
        status: 404,
        code,
      });
    }
  });

  test.each([
    'a/b',
    '../../etc/passwd',
    '日本語',
    '🙂',
    '\ud800',
    'é',
    "'; drop table",
    '__proto__',
    'constructor',
    ' ',
    'x'.repeat(1_024),
  ])('%s is a valid id', async (id) => {
    const h = new Harness();
    expect((await failureOf(h.registry.use(id, () => 1))).code).toBe('CONNECTION_NOT_FOUND');
    h.registry.invalidate(id);
    h.rows.put(id);
    expect(await h.registry.use(id, ({ row }) => row.id)).toBe(id);
    expect(h.registry.snapshot().connections.map((one) => one.id)).toEqual([id]);
    h.registry.invalidate(id);
    await h.settle();
    expect(h.log.at(-1)).toBe(`dispose ${id}@v1 invalidated`);
  });
});
