import { expect, test } from 'vitest';
import { ConnectionRegistry, factoryByPlatform, MemoryStore } from 'hydrant';
import { instrumentFactory } from 'hydrant/otel';

/* A copy of what factoryByPlatform returned was taken for the original: its own authenticate was never called. */

const slack = { create: ({ id }: { id: string }) => id, authenticate: () => true, handleWebhook: () => new Response('inner') };
const composite = factoryByPlatform('platform', { slack });
const open = (factory: unknown): unknown =>
  new ConnectionRegistry({ store: new MemoryStore([{ id: 'a', platform: 'slack' }]), factory: factory as never });

test('a copy of a factory made by factoryByPlatform is refused, nested or not', () => {
  const copy = { ...composite, authenticate: () => false, handleWebhook: () => new Response('outer') };
  const refusal = {
    code: 'INVALID_OPTIONS',
    message: expect.stringContaining('the factory that factoryByPlatform returned (wrap the factories in it), got a copy'),
  };
  expect(() => open(copy)).toThrow(expect.objectContaining(refusal));
  expect(() => factoryByPlatform('tier', { free: copy } as never)).toThrow(expect.objectContaining(refusal));
});

test('a factory made by factoryByPlatform cannot be changed in place', () => {
  expect(() => { Object.assign(composite, { authenticate: () => false }); }).toThrow(TypeError);
});

test('nested and instrumented ones keep their members', () => {
  expect(() => open(factoryByPlatform('tier', { free: composite } as never))).not.toThrow();
  expect(() => open(instrumentFactory(composite as never))).not.toThrow();
});
