import { expect, test } from 'vitest';
import { ConnectionRegistry, factoryByPlatform } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { deferred } from '../support/deferred.js';

interface Row { readonly id: string; readonly version: string; readonly status: 'active'; platform: string }

/* Some stores hand out their own object, and edit it in place. */

test('a row that moves to a platform without a factory while it waits for a permit loses neither permit nor use', async () => {
  const clock = new ManualClock();
  const rows = new Map(
    ['a', 'b', 'c'].map((id): [string, Row] => [id, { id, version: 'v1', status: 'active', platform: 'slack' }]),
  );
  const gate = deferred();
  const slack = { create: async ({ id }: Row) => { if (id === 'a') await gate.promise; return id; } };
  const registry = new ConnectionRegistry<Row, string>({
    clock, maxConcurrentHydrations: 1, store: { get: async (id) => rows.get(id) },
    factory: factoryByPlatform('platform', { slack } as Record<string, typeof slack>),
  });
  const use = (id: string): Promise<unknown> => registry.use(id, () => 'served').catch((error: { code: string }) => error.code);
  const first = use('a');
  await clock.advance(1);
  const second = use('b');
  await clock.advance(1);
  (rows.get('b') as Row).platform = 'teams';
  gate.resolve();
  await clock.advance(10);
  expect({ first: await first, second: await second, third: await use('c') }).toEqual({
    first: 'served', second: 'served', third: 'served',
  });
});
