import { ConnectionRegistry, type ConnectionStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { describe, expect, test } from 'vitest';

interface Row { readonly id: string; readonly version: number; readonly status: 'active' }
const ROUND_TRIP_MS = 5;
/** The requests of unauthenticated senders in each millisecond. */
const PER_MS = 50;
const TRIALS = 6;

const FLOODS: Record<string, (count: number) => readonly [id: string, init?: RequestInit]> = {
  'ever new unknown ids': (count) => [`unknown-${count}`],
  'forgeries for ever other connections': (count) => [`known-${count}`],
  'forgeries for a hundred connections': (count) => [`known-${count % 100}`],
  'forgeries for the live connection': () => ['live'],
  'bodies over the cap': (count) => [`known-${count % 100}`, { body: 'x'.repeat(2_000) }],
};

const STORES: Record<string, (answer: <T>(value: () => T) => Promise<T>) => ConnectionStore<Row>> = {
  'get only': (answer) => ({ get: (id) => answer(() => rowOf(id)) }),
  'getMany and getVersions': (answer) => ({
    get: (id) => answer(() => rowOf(id)),
    getMany: (ids) =>
      answer(
        () =>
          new Map(
            ids.flatMap((id) => {
              const row = rowOf(id);
              return row === undefined ? [] : [[id, row] as const];
            }),
          ),
      ),
    getVersions: (ids) =>
      answer(
        () =>
          new Map(
            ids.flatMap((id) => {
              const row = rowOf(id);
              return row === undefined ? [] : [[id, row.version] as const];
            }),
          ),
      ),
  }),
};

const rowOf = (id: string): Row | undefined => id.startsWith('unknown') ? undefined : { id, version: 1, status: 'active' };
const request = (init: RequestInit, signature: string): Request =>
  new Request('http://gateway.test/', { method: 'POST', headers: { 'x-signature': signature }, ...init });

/** How long a use and a genuine delivery of a live connection take at worst, while strangers send this. */
async function worst(
  storeOf: (typeof STORES)[string],
  flood: (typeof FLOODS)[string] | undefined,
): Promise<{ use: number; delivery: number }> {
  const clock = new ManualClock();
  const answer = <T>(value: () => T): Promise<T> =>
    new Promise((resolve) => {
      clock.setTimeout(() => resolve(value()), ROUND_TRIP_MS, { ref: true });
    });
  const registry = new ConnectionRegistry<Row, object>({
    store: storeOf(answer),
    clock,
    sweepIntervalMs: 0,
    webhook: { maxBodyBytes: 1_000 },
    factory: {
      create: () => ({}),
      authenticate: ({ headers }) => headers.get('x-signature') === 'good',
      handleWebhook: () => new Response(),
    },
  });
  registry.on('webhookFailed', () => {});
  void registry.use('live', () => {});
  await clock.advance(ROUND_TRIP_MS);

  const strangers: Promise<Response>[] = [];
  const pass = async (ms: number): Promise<void> => {
    for (; ms > 0; ms -= 1) {
      for (let left = flood === undefined ? 0 : PER_MS; left > 0; left -= 1) {
        const [id, init] = flood!(strangers.length);
        strangers.push(registry.handleWebhook(id, request(init ?? {}, 'bad')));
      }
      await clock.advance(1);
    }
  };
  await pass(4 * ROUND_TRIP_MS);
  const took = { use: 0, delivery: 0 };
  const since = (began: number, way: 'use' | 'delivery') => (): void => {
    took[way] = Math.max(took[way], clock.monotonic() - began);
  };
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const began = clock.monotonic();
    const use = registry.use('live', () => {}).then(since(began, 'use'));
    const delivery = registry.handleWebhook('live', request({}, 'good'));
    await Promise.all([use, delivery.then(since(began, 'delivery')), pass(3 * ROUND_TRIP_MS)]);
    expect((await delivery).status).toBe(200);
  }
  await Promise.all([registry.close(), clock.advance(60_000)]);
  expect((await Promise.all(strangers)).every(({ status }) => status >= 400)).toBe(true);
  return took;
}

describe.each(Object.entries(STORES))('a live connection on a store with %s', (name, storeOf) => {
  test.each(Object.entries(FLOODS))('takes at most twice as long beside %s', async (what, flood) => {
    const alone = await worst(storeOf, undefined);
    const beside = await worst(storeOf, flood);
    console.log(`| ${what} | ${name} | ${beside.use / alone.use} | ${beside.delivery / alone.delivery} |`);
    expect(alone).toEqual({ use: ROUND_TRIP_MS, delivery: ROUND_TRIP_MS });
    expect(beside.use).toBeLessThanOrEqual(2 * alone.use);
    expect(beside.delivery).toBeLessThanOrEqual(2 * alone.delivery);
  });
});
