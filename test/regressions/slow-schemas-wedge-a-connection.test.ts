import { expect, test } from 'vitest';
import { ConnectionRegistry } from 'hydrant';
import { ManualClock } from 'hydrant/testing';

test('a lazy row that an asynchronous schema does not parse in time does not wedge its id, nor the sweep', async () => {
  const clock = new ManualClock();
  let closed = false;
  let slow = true;
  const lazy = { id: 'a', status: 'active', get version() { if (closed) throw new Error('detached'); return 'v1'; } } as const;
  const plain = { id: 'a', status: 'active', version: 'v2' } as const;
  const rows = new Map<string, any>([['a', lazy]]);
  const registry = new ConnectionRegistry<any, any>({
    clock,
    store: { get: async (id: string) => rows.get(id) } as any,
    recordSchema: {
      '~standard': { version: 1, vendor: 'x', validate: (value: any) => (slow ? new Promise(() => {}) : { value }) },
    } as any,
    factory: { create: (r: any) => ({ r }) },
  } as any);
  const use = registry.use('a', () => 1);
  use.catch(() => {});
  await clock.advance(1);
  closed = true;
  await clock.advance(5_000);
  await expect(use).rejects.toMatchObject({ code: 'INVALID_RECORD' });
  slow = false;
  rows.set('a', plain);
  const again = registry.use('a', () => 2);
  again.catch(() => {});
  await clock.advance(31_000);
  expect(await again).toBe(2);
});
