import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { MemoryClaims } from 'hydrant/exclusive';
import { describe, expect, test } from 'vitest';
import { resolveRunnerOptions } from '../../src/exclusive/options.js';

const store = new MemoryStore([{ id: 'a' }]);
const good = {
  registry: new ConnectionRegistry({ store, factory: { create: () => ({}) } }),
  claims: new MemoryClaims(), list: () => store.list(), run: async () => undefined,
};
const MAX = 2 ** 31 - 1;

describe('the options of a runner', () => {
  test('have these defaults', () => {
    expect(resolveRunnerOptions(good)).toMatchObject({
      ttlMs: 45_000,
      tickMs: 5_000,
      marginMs: 7_500,
      coolDownMs: 45_000,
      replicaName: 'replica',
      startBackoff: { initialMs: 1_000, maxMs: 300_000 },
      listIntervalMs: 10_000,
      stopTimeoutMs: 10_000,
      provisionTimeoutMs: 30_000,
      handOverAfterFailures: 5,
      maxConcurrentStarts: 8,
    });
  });

  test.each([
    { name: 'listIntervalMs', least: 1, most: MAX },
    { name: 'stopTimeoutMs', least: 0, most: MAX },
    { name: 'provisionTimeoutMs', least: 1, most: MAX },
    { name: 'handOverAfterFailures', least: 1, most: Number.MAX_SAFE_INTEGER },
    { name: 'maxConcurrentStarts', least: 1, most: Number.MAX_SAFE_INTEGER },
  ])('$name may be $least to $most', ({ name, least, most }) => {
    for (const value of [least, most]) expect(resolveRunnerOptions({ ...good, [name]: value })).toMatchObject({ [name]: value });
    for (const value of [least - 1, most + 1])
      expect(() => resolveRunnerOptions({ ...good, [name]: value })).toThrow(`ExclusiveRunner: ${name}: expected`);
  });

  test('ttlMs may be as short as 10 ms, initialMs as long as maxMs, a name as long as 64 letters', () => {
    expect(resolveRunnerOptions({ ...good, ttlMs: 10 }).ttlMs).toBe(10);
    expect(resolveRunnerOptions({ ...good, startBackoff: { initialMs: 5, maxMs: 5 } }).startBackoff).toEqual({
      initialMs: 5,
      maxMs: 5,
    });
    expect(resolveRunnerOptions({ ...good, replicaName: 'x'.repeat(64) }).replicaName).toHaveLength(64);
    for (const replicaName of ['', 'x'.repeat(65), 'a/b'])
      expect(() => resolveRunnerOptions({ ...good, replicaName })).toThrow('replicaName');
  });

  test('need each of the required methods', () => {
    for (const claims of [
      { renew() {}, claim() {} },
      { renew() {}, release() {} },
      { claim() {}, release() {} },
      null,
      'x',
      () => {},
    ]) {
      expect(() => resolveRunnerOptions({ ...good, claims } as never)).toThrow('claims');
    }
    for (const clock of [
      { now() {}, monotonic() {} },
      { now() {}, setTimeout() {} },
      { monotonic() {}, setTimeout() {} },
      null,
    ]) {
      if (clock !== null) expect(() => resolveRunnerOptions({ ...good, clock } as never)).toThrow('clock');
    }
    expect(() => resolveRunnerOptions({ ...good, registry: null } as never)).toThrow(
      'registry: expected a ConnectionRegistry, got null',
    );
    for (const none of [null, undefined, 'x'])
      expect(() => resolveRunnerOptions(none as never)).toThrow('ExclusiveRunner: expected an object of options, got');
    expect(() => resolveRunnerOptions({ ...good, replicaName: { toString: () => 'r' } } as never)).toThrow('replicaName');
    expect(() => resolveRunnerOptions({ ...good, stopTimeoutMs: { valueOf: () => 5 } } as never)).toThrow('stopTimeoutMs');
  });
});
