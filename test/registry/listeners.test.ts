import { describe, expect, test } from 'vitest';
import { isConnectionError } from 'hydrant';
import { Harness } from '../support/harness.js';

describe('listeners of a registry', () => {
  test('are called until they unsubscribe, and a function that listens twice is removed once', async () => {
    const h = new Harness();
    h.rows.put('a');
    const told: string[] = [];
    const listener = (): void => void told.push('twice');
    const off = h.registry.on('hydrated', listener);
    h.registry.on('hydrated', listener);
    const offOther = h.registry.on('hydrated', () => told.push('other'));
    off();
    off();
    await h.registry.use('a', () => {});
    expect(told).toEqual(['twice', 'other']);
    offOther();
    h.registry.invalidate('a');
    await h.registry.use('a', () => {});
    expect(told).toEqual(['twice', 'other', 'twice']);
  });

  test('may unsubscribe, or add another listener, while they are called', async () => {
    const h = new Harness();
    h.rows.put('a');
    let told = 0;
    const off = h.registry.on('hydrated', () => {
      told += 1;
      off();
      h.registry.on('hydrated', () => { told += 100; });
    });
    await h.registry.use('a', () => {});
    expect(told).toBe(1);
    h.registry.invalidate('a');
    await h.registry.use('a', () => {});
    expect(told).toBe(101);
  });

  test('may call the registry', async () => {
    const h = new Harness();
    h.rows.put('a');
    const uses: Promise<string>[] = [];
    h.registry.on('disposed', ({ id }) => void uses.push(h.registry.use(id, ({ name }) => name)));
    await h.registry.use('a', () => {});
    h.registry.invalidate('a');
    await h.settle();
    expect(await Promise.all(uses)).toEqual(['a@v1#1']);
  });

  test.each([
    { event: 'hydrationFailed', listener: undefined, message: 'on: expected a function, got nothing' },
    {
      event: ['hydrated'],
      listener: () => {},
      message: "on: expected 'hydrated', 'hydrationFailed', 'disposed', 'disposeFailed', 'retired', 'webhookFailed', "
        + "'storeFailed' or 'thrashing', got an array",
    },
    {
      event: 'hydrateFailed',
      listener: () => {},
      message: "on: expected 'hydrated', 'hydrationFailed', 'disposed', 'disposeFailed', 'retired', 'webhookFailed', "
        + "'storeFailed' or 'thrashing', got \"hydrateFailed\"",
    },
  ])('$event with $listener is refused', ({ event, listener, message }) => {
    const h = new Harness();
    let error: unknown;
    try {
      h.registry.on(event as never, listener as never);
    } catch (thrown) {
      error = thrown;
    }
    expect(isConnectionError(error, 'INVALID_OPTIONS') && error.message).toBe(message);
  });
});
