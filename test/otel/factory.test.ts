import { describe, expect, test } from 'vitest';
import { ConnectionRegistry, factoryByPlatform, MemoryStore } from 'hydrant';
import { instrumentFactory } from 'hydrant/otel';
import { realSdk, type Row } from './support/sdk.js';

describe('instrumentFactory', () => {
  const { tracer, named } = realSdk();
  const create = (): object => ({});

  test('keeps synchronous functions synchronous, and all results as they were', async () => {
    class Factory {
      #made = 0;
      readonly replacement = 'drain-first' as const;
      readonly authenticate = 'in-handler' as const;
      create = (): { made: number } => ({ made: ++this.#made });
      handleWebhook(): Response { return new Response(String(this.#made)); }
    }
    const wrapped = instrumentFactory<Row, { made: number }, unknown>(new Factory(), { tracer }) as unknown as Factory
      & Record<'create', (...args: unknown[]) => unknown>;
    expect(wrapped.create({ id: 'a', version: 1, status: 'active', secret: '' }, {})).toEqual({ made: 1 });
    expect(await wrapped.handleWebhook().text()).toBe('1');
    expect({ replacement: wrapped.replacement, authenticate: wrapped.authenticate, hasDispose: 'dispose' in wrapped }).toEqual({
      replacement: 'drain-first',
      authenticate: 'in-handler',
      hasDispose: false,
    });
  });

  test('keeps every member, and calls methods on the factory itself', async () => {
    class Factory {
      readonly #secret = 'xoxb';
      readonly maxConcurrentHydrations = 3;
      readonly acknowledge = { afterMs: 1, respond: () => new Response() };
      create(): object { return { made: this.#secret }; }
      dispose(instance: object): void { expect(instance).toEqual({ made: this.#secret }); }
      secrets(): string { return this.#secret; }
      authenticate(): boolean { return this.#secret === 'xoxb'; }
      handleWebhook(): Response { return new Response(this.#secret); }
      respondToFailure(): Response { return new Response(this.#secret); }
    }
    const factory = new Factory();
    const {
      create: make,
      dispose,
      secrets,
      authenticate,
      respondToFailure,
      ...rest
    } = instrumentFactory<Row, object, string>(factory, { tracer }) as any;
    const record: Row = { id: 'a', version: 1, status: 'active', secret: '' };
    await dispose(make(record, {}), { record, reason: 'idle' });
    expect({
      secrets: secrets(record, {}),
      authenticated: authenticate(new Request('http://x/'), {}),
      body: await respondToFailure().text(),
    }).toEqual({
      secrets: 'xoxb',
      authenticated: true,
      body: 'xoxb',
    });
    expect(rest).toEqual({ maxConcurrentHydrations: 3, acknowledge: factory.acknowledge, handleWebhook: expect.any(Function) });
  });

  test('adds no member that the factory does not have', () => {
    expect(Object.keys(instrumentFactory<Row, object, unknown>({ create }, { tracer }))).toEqual(['create']);
  });

  test('keeps the check of requests of a factory that does not answer them yet', () => {
    const { authenticate } = instrumentFactory<Row, object, unknown>({ create, authenticate: 'in-handler' }, { tracer });
    expect(authenticate).toBe('in-handler');
  });

  test('accepts a factory of factoryByPlatform, and each platform keeps its own settings', async () => {
    const factory = factoryByPlatform('platform', {
      slack: { create, authenticate: () => true, handleWebhook: () => new Response('slack'), maxConcurrentHydrations: 1 },
      telegram: { create, authenticate: () => true, handleWebhook: () => new Response('telegram') },
    });
    const store = new MemoryStore<any>([{ id: 's', platform: 'slack' }, { id: 't', platform: 'telegram' }]);
    const registry = new ConnectionRegistry<any, object>({
      store,
      factory: instrumentFactory<any, object, unknown>(factory, { tracer }),
    });
    const answers = await Promise.all(
      ['s', 't'].map(async (id) => (await registry.handleWebhook(id, new Request('http://x/'))).text()),
    );
    expect(answers).toEqual(['slack', 'telegram']);
    expect(named('hydrant.hydrate')).toHaveLength(2);
    await registry.close();
  });

  test('accepts one with a single platform, and refuses the rows of others', async () => {
    const factory = instrumentFactory<any, object, unknown>(factoryByPlatform('platform', { slack: { create } }), { tracer });
    await using registry = new ConnectionRegistry<any, object>({
      store: new MemoryStore<any>([
        { id: 's', platform: 'slack' },
        { id: 't', platform: 'telegram' },
      ]),
      factory,
    });
    expect(await registry.use('s', () => 'served')).toBe('served');
    await expect(registry.use('t', () => {})).rejects.toMatchObject({ code: 'INVALID_RECORD' });
    expect(named('hydrant.hydrate')).toHaveLength(1);
  });
});
