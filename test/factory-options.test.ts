import { describe, expect, test } from 'vitest';
import { factoryByPlatform } from 'hydrant';
import { build, factory, messageOf } from './support/invalid-options.js';

describe('a factory with handleWebhook must say how a request is authenticated', () => {
  const mute = { create: () => ({}), handleWebhook: () => new Response() };
  const expected = "expected 'in-handler' or a function, because there is a handleWebhook to protect, got nothing";

  test('alone, in factoryByPlatform, and as a class', () => {
    expect(messageOf(() => build({ factory: mute }))).toBe(`ConnectionRegistry: factory.authenticate: ${expected}`);
    expect(messageOf(() => factoryByPlatform('platform', { slack: mute } as never))).toBe(
      `factoryByPlatform: slack.authenticate: ${expected}`,
    );
    class Mute { create(): object { return {}; } handleWebhook(): Response { return new Response(); } }
    expect(messageOf(() => build({ factory: new Mute() }))).toBe(`ConnectionRegistry: factory.authenticate: ${expected}`);
  });

  test('a function and in-handler are accepted', () => {
    expect(() => build({ factory: { ...mute, authenticate: 'in-handler' } })).not.toThrow();
    expect(() => build({ factory: { ...mute, authenticate: () => true } })).not.toThrow();
  });
});

const overlap = { create: () => ({}), replacement: 'overlap' as const };
const byPlatform = (telegram: object): unknown => factoryByPlatform('platform', { slack: overlap, telegram } as never);

describe('keepLastGood is refused together with drain-first', () => {
  const expected = "expected false with replacement 'drain-first', which disposes of the last good instance first, got true";
  const drainFirst = { create: () => ({}), replacement: 'drain-first' as const };

  test('of the registry, and of its factory', () => {
    expect(messageOf(() => build({ keepLastGood: true, replacement: 'drain-first' }))).toBe(
      `ConnectionRegistry: keepLastGood: ${expected}`,
    );
    expect(messageOf(() => build({ keepLastGood: true, factory: drainFirst }))).toBe(
      `ConnectionRegistry: keepLastGood: ${expected}`,
    );
    expect(() => build({ keepLastGood: true, replacement: 'drain-first', factory: overlap })).not.toThrow();
  });

  test('of one of many factories, however deep', () => {
    expect(messageOf(() => build({ keepLastGood: true, factory: byPlatform(drainFirst) }))).toBe(
      `ConnectionRegistry: keepLastGood: ${expected}`,
    );
    const nested = factoryByPlatform('kind', { chat: byPlatform(drainFirst) } as never);
    expect(messageOf(() => build({ keepLastGood: true, factory: nested }))).toBe(`ConnectionRegistry: keepLastGood: ${expected}`);
    expect(messageOf(() => build({ keepLastGood: true, replacement: 'drain-first', factory: byPlatform(factory) }))).toBe(
      `ConnectionRegistry: keepLastGood: ${expected}`,
    );
    expect(() => build({ keepLastGood: true, factory: byPlatform(overlap) })).not.toThrow();
    expect(() => build({ keepLastGood: true, replacement: 'drain-first', factory: byPlatform(overlap) })).not.toThrow();
  });
});

test('factoryByPlatform checks its key and its factories', () => {
  for (const { key, got } of [{ key: '', got: '""' }, { key: undefined, got: 'nothing' }, { key: 5, got: '5' }] as const) {
    expect(messageOf(() => factoryByPlatform(key as never, {}))).toBe(
      `factoryByPlatform: key: expected the name of the field that names the platform, such as 'platform', got ${got}`,
    );
  }
  for (const { factories, got } of [
    { factories: undefined, got: 'nothing' },
    { factories: null, got: 'null' },
    { factories: [factory], got: 'an array' },
    { factories: 'slack', got: 'a string' },
  ] as const) {
    expect(messageOf(() => factoryByPlatform('platform', factories as never))).toBe(
      `factoryByPlatform: factories: expected an object with one factory for each platform, got ${got}`,
    );
  }
  for (const { one, got } of [
    { one: undefined, got: 'nothing' },
    { one: null, got: 'null' },
    { one: () => 1, got: 'a function' },
    { one: 'x', got: 'a string' },
  ] as const) {
    expect(messageOf(() => factoryByPlatform('platform', { slack: one } as never))).toBe(
      `factoryByPlatform: slack: expected a factory: an object with create(record, context), got ${got}`,
    );
  }
});
