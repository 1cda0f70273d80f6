import { describe, expect, test } from 'vitest';
import {
  ConnectionRegistry,
  MemoryStore,
  factoryByPlatform,
  isConnectionError,
  type DisposeReason,
  type InstanceFactory,
} from 'hydrant';
import { ManualClock } from 'hydrant/testing';

interface Base { readonly id: string; readonly version: string; readonly status: 'active' | 'stopped' }
interface SlackRow extends Base { readonly platform: 'slack'; readonly botToken: string }
interface TelegramRow extends Base { readonly platform: 'telegram'; readonly token: string }

const post = (body = 'x'): Request => new Request('http://gateway.test/', { method: 'POST', body });

function gateway(others: { slack?: object; telegram?: object; registry?: object } = {}) {
  const log: string[] = [];
  const note = (platform: string) => ({
    dispose: (instance: { name: string }, { reason }: { reason: DisposeReason }) =>
      void log.push(`${platform} disposes of ${instance.name}: ${reason}`),
  });
  const slack: InstanceFactory<SlackRow, { name: string }, string> = {
    create: (row, { secrets }) => ({ name: `slack ${row.botToken} ${secrets}` }),
    secrets: (row) => `secret of ${row.id}`,
    ...note('slack'),
    authenticate: (request, { secrets }) => request.headers.get('x-slack') === secrets,
    handleWebhook: async (instance, request) => new Response(`${instance.name}: ${await request.text()}`),
    respondToFailure: () => new Response('slack says no', { status: 418 }),
    ...others.slack,
  };
  const telegram: InstanceFactory<TelegramRow, { name: string }> = {
    create: (row) => ({ name: `telegram ${row.token}` }), ...note('telegram'), ...others.telegram,
  };
  const store = new MemoryStore<any>([
    { id: 's', platform: 'slack', botToken: 'xoxb' },
    { id: 't', platform: 'telegram', token: '123' },
    { id: 'w', platform: 'whatsapp' },
    { id: 'none' },
    { id: 'proto', platform: '__proto__' },
    { id: 'number', platform: 5 },
  ]);
  const clock = new ManualClock();
  const registry = new ConnectionRegistry<any, { name: string }>({
    store,
    clock,
    factory: factoryByPlatform('platform', { slack, telegram }) as never,
    ...others.registry,
  });
  registry.on('webhookFailed', () => {});
  return { registry, store, clock, log };
}

/** A factory whose instances are their own name. */
const make = (name: string): InstanceFactory<any, string> => ({
  create: () => name,
  authenticate: () => true,
  handleWebhook: (instance) => new Response(instance),
});

describe('factoryByPlatform', () => {
  test('each row is hydrated, authenticated, served and disposed of by the factory of its platform', async () => {
    const { registry, log } = gateway();
    expect(await registry.use('s', ({ name }) => name)).toBe('slack xoxb secret of s');
    expect(await registry.use('t', ({ name }) => name)).toBe('telegram 123');
    const response = await registry.handleWebhook('s', new Request(post('hello'), { headers: { 'x-slack': 'secret of s' } }));
    expect(await response.text()).toBe('slack xoxb secret of s: hello');
    await registry.close();
    expect(log.toSorted()).toEqual([
      'slack disposes of slack xoxb secret of s: closing',
      'telegram disposes of telegram 123: closing',
    ]);
  });

  test('each platform has its own respondToFailure, or no handler', async () => {
    const { registry } = gateway();
    const forged = await registry.handleWebhook('s', post());
    expect({ status: forged.status, body: await forged.text() }).toEqual({ status: 418, body: 'slack says no' });
    const noHandler = await registry.handleWebhook('t', post());
    expect({ status: noHandler.status, code: ((await noHandler.json()) as { code: string }).code }).toEqual({
      status: 404,
      code: 'NO_WEBHOOK_HANDLER',
    });
  });

  test.each(['w', 'none', 'proto', 'number'])('a row whose platform is not listed is INVALID_RECORD (%s)', async (id) => {
    const { registry } = gateway();
    const error: unknown = await registry.use(id, () => {}).catch((thrown: unknown) => thrown);
    expect(isConnectionError(error, 'INVALID_RECORD') && error.message).toBe(
      `The row of connection '${id}' has a platform without a factory`,
    );
    expect(error).toMatchObject({ connectionId: id });
    expect((await registry.handleWebhook(id, post())).status).toBe(500);
    expect(registry.snapshot().connections).toEqual([]);
  });

  test('a connection that moves to another platform is disposed of by the old factory and created by the new one', async () => {
    const { registry, store, clock, log } = gateway();
    await registry.use('s', () => {});
    await store.put({ id: 's', platform: 'telegram', token: '456' });
    expect(await registry.use('s', ({ name }) => name)).toBe('telegram 456');
    await clock.advance(0);
    expect(log).toEqual(['slack disposes of slack xoxb secret of s: replaced']);
    await store.put({ id: 's', platform: 'unheard of' });
    await expect(registry.use('s', () => {})).rejects.toMatchObject({ code: 'INVALID_RECORD' });
    await clock.advance(0);
    expect(log.at(-1)).toBe('telegram disposes of telegram 456: replaced');
  });

  test('factories may be nested: one discriminant within another', async () => {
    const chat = factoryByPlatform('platform', { slack: make('chat/slack'), telegram: make('chat/telegram') } as never) as never;
    const factory = factoryByPlatform('kind', { chat, database: make('database') } as never) as never;
    const store = new MemoryStore<any>([
      { id: 'a', kind: 'chat', platform: 'telegram' },
      { id: 'b', kind: 'database' },
      { id: 'c', kind: 'chat', platform: 'irc' },
    ]);
    const registry = new ConnectionRegistry<any, string>({ store, factory, clock: new ManualClock() });
    registry.on('webhookFailed', () => {});
    expect(await registry.use('a', (name) => name)).toBe('chat/telegram');
    expect(await (await registry.handleWebhook('b', post())).text()).toBe('database');
    await expect(registry.use('c', () => {})).rejects.toMatchObject({ code: 'INVALID_RECORD' });
  });

  test('can be called like any factory: in a test, or by another version of the package', async () => {
    const { slack, telegram } = { slack: make('slack'), telegram: make('telegram') };
    const disposed: string[] = [];
    const factory = factoryByPlatform('platform', {
      slack: { ...slack, dispose: (name: string) => void disposed.push(name) },
      telegram,
    } as never) as unknown as InstanceFactory<any, string>;
    const record = { id: 'a', platform: 'slack' };
    expect(await factory.create(record, {} as never)).toBe('slack');
    await factory.dispose?.('slack', { record, reason: 'idle' });
    await factory.dispose?.('telegram', { record: { id: 'b', platform: 'telegram' }, reason: 'idle' });
    expect(disposed).toEqual(['slack']);

    const elsewhere = { create: () => 'not asked', [Symbol.for('hydrant.composition')]: { parts: [slack], choose: () => slack } };
    const registry = new ConnectionRegistry<any, string>({
      store: new MemoryStore<any>([{ id: 'a' }]),
      factory: elsewhere,
      clock: new ManualClock(),
    });
    expect(await registry.use('a', (name) => name)).toBe('slack');
  });

  test('later changes of the given object have no effect', async () => {
    const factories: Record<string, unknown> = { slack: { create: () => 'first' } };
    const factory = factoryByPlatform('platform', factories as never) as never;
    delete factories['slack'];
    const registry = new ConnectionRegistry<any, string>({
      store: new MemoryStore<any>([{ id: 'a', platform: 'slack' }]),
      factory,
      clock: new ManualClock(),
    });
    expect(await registry.use('a', (name) => name)).toBe('first');
  });

  test('each platform has its own share of the permits', async () => {
    let release!: () => void;
    const outage = new Promise<void>((resolve) => { release = resolve; });
    const { registry, store } = gateway({
      slack: {
        create: async () => {
          await outage;
          return { name: 'late' };
        },
        maxConcurrentHydrations: 1,
      },
      registry: { maxConcurrentHydrations: 2 },
    });
    for (let index = 0; index < 5; index += 1) await store.put({ id: `s${index}`, platform: 'slack', botToken: 'x' });
    const stuck = Array.from({ length: 5 }, (_, index) => registry.use(`s${index}`, ({ name }) => name));
    expect(await registry.use('t', ({ name }) => name)).toBe('telegram 123');
    release();
    expect(await Promise.all(stuck)).toEqual(Array.from({ length: 5 }, () => 'late'));
  });
});
