import { expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { instrumentFactory } from 'hydrant/otel';

/** Like a query builder: it runs each time that it is awaited, and not before. */
function lazy<T>(run: () => Promise<T>): Promise<T> {
  // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
  return { then: (...handlers: Parameters<Promise<T>['then']>) => run().then(...handlers) } as unknown as Promise<T>;
}

test('the result of create is awaited once, so a lazy query opens one connection', async () => {
  let made = 0;
  const factory = instrumentFactory({ create: () => lazy(async () => ({ serial: made += 1 })) });
  await using registry = new ConnectionRegistry({ store: new MemoryStore([{ id: 'a' }]), factory });
  expect(await registry.use('a', ({ serial }) => serial)).toBe(1);
  expect(made).toBe(1);
});
