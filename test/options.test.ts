import { describe, expect, test } from 'vitest';
import { ConnectionRegistry, factoryByPlatform, systemClock } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { resolveOptions } from '../src/options.js';
import { build, factory, messageOf, store } from './support/invalid-options.js';
import { FACTORY, NESTED, OPTIONS } from './support/option-cases.js';

function factoryWith(member: string, value: unknown, others: object = {}): object {
  const [outer, inner] = member.split('.') as [string, string?];
  const whole = inner === undefined ? value : { afterMs: 1, respond: () => undefined, [inner]: value };
  return { create: () => ({}), ...others, [outer]: whole };
}

describe('wrong options are refused at construction, with the option, the expected and the given value', () => {
  const cases = Object.entries(OPTIONS).flatMap(([option, { expected, wrong }]) =>
    wrong.map(([value, got]) => ({ option, expected, value, got })),
  );
  test.each(cases)('$option: $got', ({ option, expected, value, got }) => {
    expect(messageOf(() => build({ [option]: value }))).toBe(`ConnectionRegistry: ${option}: expected ${expected}, got ${got}`);
  });

  const nested = Object.entries(NESTED).flatMap(([option, { at, expected, wrong }]) =>
    wrong.map(([value, got]) => ({ option, at, expected, value, got })),
  );
  test.each(nested)('$option: $got', ({ option, at, expected, value, got }) => {
    expect(messageOf(() => build(at(value)))).toBe(`ConnectionRegistry: ${option}: expected ${expected}, got ${got}`);
  });

  const members = Object.entries(FACTORY).flatMap(([member, { expected, wrong, with: others }]) =>
    wrong.map(([value, got]) => ({ member, expected, value, got, others })),
  );
  test.each(members)('factory.$member: $got', ({ member, expected, value, got, others }) => {
    expect(messageOf(() => build({ factory: factoryWith(member, value, others) }))).toBe(
      `ConnectionRegistry: factory.${member}: expected ${expected}, got ${got}`,
    );
    expect(messageOf(() => factoryByPlatform('platform', { slack: factoryWith(member, value, others) } as never)))
      .toBe(`factoryByPlatform: slack.${member}: expected ${expected}, got ${got}`);
  });

  test('an option that does not exist', () => {
    expect(messageOf(() => build({ maxInstance: 5 }))).toBe("ConnectionRegistry: does not know 'maxInstance'");
    expect(messageOf(() => build({ webhook: { maxBytes: 5, path: '/' } }))).toBe(
      "ConnectionRegistry: webhook: does not know 'maxBytes', 'path'",
    );
    expect(messageOf(() => build({ failureBackoff: { initialMs: 1, maxMs: 2, factor: 2 } }))).toBe(
      "ConnectionRegistry: failureBackoff: does not know 'factor'",
    );
  });

  test('no options at all', () => {
    for (const { value, got } of [
      { value: undefined, got: 'nothing' },
      { value: null, got: 'null' },
      { value: 'redis://', got: 'a string' },
      { value: [], got: 'an array' },
    ] as const) {
      expect(messageOf(() => new ConnectionRegistry(value as never))).toBe(
        `ConnectionRegistry: expected an object of options, got ${got}`,
      );
    }
  });

  test('several wrong options are all named', () => {
    const message = messageOf(() => build({ maxInstances: 0, idleTimeoutMs: 'long', typo: 1 }));
    for (const option of ['maxInstances', 'idleTimeoutMs', 'typo']) expect(message).toContain(option);
    expect(message.split('; ')).toHaveLength(3);
  });

  test('a back-off that would shrink', () => {
    expect(messageOf(() => build({ failureBackoff: { initialMs: 2, maxMs: 1 } })))
      .toBe('ConnectionRegistry: failureBackoff.maxMs: expected at least initialMs (2), got 1');
  });

  test('a string in place of an object is not repeated, because it may be a connection string with its password', () => {
    for (const option of ['store', 'factory', 'clock', 'recordSchema', 'around', 'webhook', 'failureBackoff']) {
      expect(messageOf(() => build({ [option]: 'postgres://u:hunter2@db' }))).not.toContain('hunter2');
    }
    expect(
      messageOf(() => build({ store: { get: store.get, getMany: 'hunter2' }, factory: { create: 'hunter2' } })),
    ).not.toContain('hunter2');
  });

  test('a long string is cut', () => {
    expect(messageOf(() => build({ maxInstances: '9'.repeat(10_000) })).length).toBeLessThan(200);
    expect(messageOf(() => build({ maxInstances: '9'.repeat(41) }))).toContain(`got "${'9'.repeat(40)}…"`);
    expect(messageOf(() => build({ maxInstances: '9'.repeat(40) }))).toContain(`got "${'9'.repeat(40)}"`);
  });
});

describe('correct options are accepted', () => {
  const cases = Object.entries(OPTIONS).flatMap(([option, { right }]) => right.map((value, index) => ({ option, value, index })));
  test.each(cases)('$option, $index', ({ option, value }) => {
    expect(() => build({ [option]: value })).not.toThrow();
  });

  test('undefined means the default', () => {
    const names = Object.keys(OPTIONS).filter((option) => !['store', 'factory', 'clock'].includes(option));
    expect(() =>
      build({
        ...Object.fromEntries(names.map((option) => [option, undefined])),
        webhook: { connectionId: undefined, maxBodyBytes: undefined },
      }),
    ).not.toThrow();
  });

  test('a bound of Infinity sets no timer', async () => {
    const clock = new ManualClock();
    const names = [
      'staleIfErrorMs',
      'storeTimeoutMs',
      'acquireTimeoutMs',
      'idleTimeoutMs',
      'hydrationTimeoutMs',
      'disposeTimeoutMs',
      'drainTimeoutMs',
      'sweepIntervalMs',
    ];
    const registry = new ConnectionRegistry({
      store,
      clock,
      factory: { create: async () => ({}), dispose: async () => {} },
      ...Object.fromEntries(names.map((name) => [name, Infinity])),
    });
    const lease = await registry.acquire('a');
    registry.invalidate('a');
    expect(clock.pendingTimers).toBe(0);
    lease.release();
    await registry.close({ drainTimeoutMs: Infinity });
    expect(clock.pendingTimers).toBe(0);
  });
});

test('the defaults are those of the table of options', () => {
  const STRICT = -Infinity;
  const { store: _store, factory: _factory, clock, webhook, ...rest } = resolveOptions({ store, factory });
  expect(clock).toBe(systemClock);
  expect(webhook).toEqual({
    connectionId: /^[A-Za-z0-9._:-]{1,128}$/,
    maxBodyBytes: 1_048_576,
    maxUnauthenticated: 2_000,
    respondToFailure: undefined,
  });
  expect(rest).toEqual({
    recordSchema: undefined,
    around: undefined,
    maxStaleMs: STRICT,
    staleIfErrorMs: 0,
    storeTimeoutMs: 5_000,
    acquireTimeoutMs: 30_000,
    maxInstances: 1000,
    eviction: 'lru',
    idleTimeoutMs: 600_000,
    maxConcurrentHydrations: 16,
    maxQueuedHydrations: 1000,
    hydrationTimeoutMs: 30_000,
    disposeTimeoutMs: 10_000,
    drainTimeoutMs: 300_000,
    sweepIntervalMs: 60_000,
    failureBackoff: { initialMs: 500, maxMs: 60_000 },
    notFoundTtlMs: 1_000,
    replacement: 'overlap',
    keepLastGood: false,
  });
});

test('the table of cases has every option, and no other', () => {
  const { webhook, maxStaleMs: _freshness, ...resolved } = resolveOptions({ store, factory });
  expect(Object.keys(OPTIONS).toSorted()).toEqual([...Object.keys(resolved), 'freshness', 'webhook'].toSorted());
  expect(
    Object.keys(NESTED)
      .filter((option) => option.startsWith('webhook.'))
      .toSorted(),
  ).toEqual(
    Object.keys(webhook)
      .map((name) => `webhook.${name}`)
      .toSorted(),
  );
});

test('options are read once: later changes have no effect', () => {
  const given = { store, factory, failureBackoff: { initialMs: 1, maxMs: 2 } };
  const resolved = resolveOptions(given);
  given.failureBackoff.maxMs = -5;
  expect(resolved.failureBackoff.maxMs).toBe(2);
  expect(Object.isFrozen(resolved) && Object.isFrozen(resolved.webhook)).toBe(true);
});
