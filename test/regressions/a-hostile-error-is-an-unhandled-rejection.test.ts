import { ConnectionRegistry, type ConnectionStore } from 'hydrant';
import { ManualClock, settle } from 'hydrant/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { post } from '../support/webhooks.js';

/** An error that throws whenever it is looked at. */
const hostile = (): never => {
  const refuse = (): never => { throw new Error('do not look at me'); };
  throw new Proxy(Object.create(null) as object, {
    get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse, getOwnPropertyDescriptor: refuse, set: refuse,
  });
};
const later = async (): Promise<never> => hostile();

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => { unhandled.length = 0; process.on('unhandledRejection', note); });
afterEach(() => { process.off('unhandledRejection', note); });

const row = async (id: string) => ({ id, version: 1, status: 'active' as const });
const STORES: Record<string, Partial<ConnectionStore>> = {
  'get that rejects': { get: later }, 'get that throws': { get: hostile }, 'getMany that rejects': { getMany: later },
  'getVersions that rejects': { getVersions: later }, 'a watch that rejects': { watch: later },
};
const FACTORIES: Record<string, object> = {
  create: { create: later },
  dispose: { dispose: later },
  secrets: { secrets: later },
  authenticate: { authenticate: later },
  handleWebhook: { handleWebhook: later },
  respondToFailure: { handleWebhook: later, respondToFailure: later },
  'acknowledge.respond': { acknowledge: { afterMs: 0, respond: later } },
  'the work of waitUntil': {
    handleWebhook: (_: object, __: Request, { waitUntil }: { waitUntil(work: Promise<unknown>): void }) => {
      waitUntil(later());
      return new Response();
    },
  },
};

async function serve(store: Partial<ConnectionStore>, factory: object): Promise<number[]> {
  const clock = new ManualClock();
  const registry = new ConnectionRegistry({
    store: { get: row, ...store } as ConnectionStore, clock, failureBackoff: { initialMs: 0, maxMs: 0 },
    factory: { create: () => ({}), authenticate: () => true, handleWebhook: () => new Response(), ...factory },
  });
  registry.on('webhookFailed', () => {});
  const statuses: number[] = [];
  for (let count = 0; count < 2; count += 1) {
    const response = registry.handleWebhook('a', post(), { waitUntil: () => later() });
    await settle();
    await clock.advance(1);
    statuses.push((await response).status);
    await registry.use('a', () => {}).catch(() => {});
  }
  await Promise.all([registry.close(), clock.advance(60_000)]);
  await new Promise((resolve) => { setImmediate(resolve); });
  return statuses;
}

describe('an error that throws when it is read is answered, and nothing is left unhandled', () => {
  test.each(Object.keys(STORES))('from the store: %s', async (name) => {
    for (const status of await serve(STORES[name]!, {})) expect([200, 503]).toContain(status);
    expect(unhandled).toHaveLength(0);
  });

  test.each(Object.keys(FACTORIES))('from the factory: %s', async (name) => {
    for (const status of await serve({}, FACTORIES[name]!)) expect([200, 401, 500, 503]).toContain(status);
    expect(unhandled).toHaveLength(0);
  });
});

describe('acknowledge.respond', () => {
  test.each([null, 'ok', 0, {}])(
    'that returns %j is reported, and the sender gets the response of the handler',
    async (value) => {
      const clock = new ManualClock();
      let finish: (response: Response) => void = () => {};
      const registry = new ConnectionRegistry({
        store: { get: row },
        clock,
        factory: {
          create: () => ({}),
          authenticate: 'in-handler',
          handleWebhook: () =>
            new Promise<Response>((resolve) => {
              finish = resolve;
            }),
          acknowledge: { afterMs: 1_000, respond: () => value as never },
        },
      });
      const told: string[] = [];
      registry.on('webhookFailed', ({ error }) => {
        told.push(String((error.cause as Error).message));
      });
      const response = registry.handleWebhook('a', post());
      await settle();
      await clock.advance(1_000);
      finish(new Response('handled'));
      expect(await (await response).text()).toBe('handled');
      expect(told).toEqual(['acknowledge.respond must resolve a Response or undefined']);
      await Promise.all([registry.close(), clock.advance(60_000)]);
    },
  );
});

test('a waitUntil of the platform that rejects later is reported and handled', async () => {
  const told: string[] = [];
  const registry = new ConnectionRegistry({
    store: { get: row },
    factory: {
      create: () => ({}),
      authenticate: 'in-handler',
      handleWebhook: (_, __, { waitUntil }) => {
        waitUntil(Promise.resolve());
        return new Response();
      },
    },
  });
  registry.on('webhookFailed', ({ error }) => { told.push((error.cause as Error).message); });
  expect(
    (
      await registry.handleWebhook('a', post(), {
        waitUntil: async () => {
          throw new Error('of the platform');
        },
      })
    ).status,
  ).toBe(200);
  await new Promise((resolve) => { setImmediate(resolve); });
  expect({ told, unhandled }).toEqual({ told: ['of the platform'], unhandled: [] });
  await registry.close();
});
