import { describe, expect, test } from 'vitest';
import { Harness } from '../support/harness.js';
import { failureOf, over } from './support/any-store.js';

const post = (): Request => new Request('http://gateway.test/', { method: 'POST', body: '{}' });

describe('an invalid row is INVALID_RECORD for its id alone', () => {
  const good = { id: 'a', status: 'active', version: 'v1', token: 't' };
  const INVALID: { what: string; row: unknown; problem: string }[] = [
    { what: 'a string', row: 'row', problem: 'is not a record: expected an object, got string' },
    { what: 'a number', row: 5, problem: 'is not a record: expected an object, got number' },
    { what: 'false', row: false, problem: 'is not a record: expected an object, got boolean' },
    { what: 'an array', row: [], problem: 'belongs to another connection: its id is not the requested one' },
    {
      what: "another id's",
      row: { ...good, id: 'b' },
      problem: 'belongs to another connection: its id is not the requested one',
    },
    {
      what: 'without id',
      row: { ...good, id: undefined },
      problem: 'belongs to another connection: its id is not the requested one',
    },
    {
      what: 'an id of another type',
      row: { ...good, id: ['a'] },
      problem: 'belongs to another connection: its id is not the requested one',
    },
    {
      what: 'without version',
      row: { ...good, version: undefined },
      problem: 'has no version that is a string, number or bigint',
    },
    { what: 'version null', row: { ...good, version: null }, problem: 'has no version that is a string, number or bigint' },
    { what: 'version empty', row: { ...good, version: '' }, problem: 'has no version that is a string, number or bigint' },
    { what: 'version NaN', row: { ...good, version: Number.NaN }, problem: 'has no version that is a string, number or bigint' },
    {
      what: 'version a Date',
      row: { ...good, version: new Date() },
      problem: 'has no version that is a string, number or bigint',
    },
    { what: 'without status', row: { ...good, status: undefined }, problem: "has no status that is 'active' or 'stopped'" },
    { what: 'a status of its own', row: { ...good, status: 'ACTIVE' }, problem: "has no status that is 'active' or 'stopped'" },
    {
      what: 'a getter that throws',
      row: {
        ...good,
        get version() {
          throw new Error('lazy');
        },
      },
      problem: 'could not be read',
    },
    {
      what: 'a proxy that throws',
      row: new Proxy(
        {},
        {
          get(_row, key) {
            if (key === 'then') return undefined;
            throw new Error('revoked');
          },
        },
      ),
      problem: 'could not be read',
    },
  ];

  test.each(INVALID)('$what', async ({ row, problem }) => {
    const { registry, created } = over({ get: async (id: string) => id === 'a' ? row : { ...good, id } });
    const [bad, fine] = await Promise.allSettled([registry.use('a', () => 1), registry.use('b', (instance) => instance.token)]);
    expect(fine).toEqual({ status: 'fulfilled', value: 't' });
    expect(bad).toMatchObject({
      status: 'rejected',
      reason: { code: 'INVALID_RECORD', connectionId: 'a', retryable: false, message: `The row of connection 'a' ${problem}` },
    });
    expect(created).toEqual(['b']);
    const response = await registry.handleWebhook('a', post());
    expect({ status: response.status, code: ((await response.json()) as { code: string }).code }).toEqual({
      status: 500,
      code: 'INVALID_RECORD',
    });
  });

  test.each([null, undefined])('%s is no row at all', async (row) => {
    const { registry } = over({ get: async () => row });
    expect((await failureOf(registry.use('a', () => 1))).code).toBe('CONNECTION_NOT_FOUND');
  });

  test.each(['v1', '0', 0, 1.5, -1, Infinity, 0n, 2n ** 70n])('%s is a valid version', async (version) => {
    const { registry } = over({ get: async () => ({ ...good, version }) });
    expect(await registry.use('a', (instance) => instance.token)).toBe('t');
    expect(registry.snapshot().connections[0]?.version).toBe(String(version));
    await registry.use('a', () => {});
    expect(registry.snapshot().live).toBe(1);
  });

  test('an invalid row with a new version ends the instance; one without a version keeps it, but serves no use', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.rows.set('a', { id: 'a', version: '', status: 'active', token: 't' });
    expect((await failureOf(h.registry.use('a', () => 1))).code).toBe('INVALID_RECORD');
    expect(h.registry.snapshot().live).toBe(1);
    h.rows.rows.set('a', { id: 'a', version: 'v9', status: 'paused' as 'active', token: 't' });
    expect((await failureOf(h.registry.use('a', () => 1))).code).toBe('INVALID_RECORD');
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 replaced']);
    h.rows.put('a');
    expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v2');
  });

  test('a store says so itself by rejecting with, or putting into the map, an INVALID_RECORD', async () => {
    const { ConnectionError } = await import('hydrant');
    const refusal = new ConnectionError('INVALID_RECORD', 'mapRow threw', { connectionId: 'a' });
    const { registry } = over({
      get: async () => { throw refusal; },
      getMany: async (ids: readonly string[]) => new Map(ids.map((id) => [id, id === 'a' ? refusal : { ...good, id }])),
    });
    expect(await failureOf(registry.use('a', () => 1))).toEqual({ code: 'INVALID_RECORD', message: 'mapRow threw' });
    const [bad, fine] = await Promise.allSettled([registry.use('a', () => 1), registry.use('b', () => 1)]);
    expect({ refusal: bad.status === 'rejected' && bad.reason, fine: fine.status }).toEqual({ refusal, fine: 'fulfilled' });
  });
});
