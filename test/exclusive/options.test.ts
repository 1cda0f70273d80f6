import { describe, expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { ExclusiveRunner, MemoryClaims } from 'hydrant/exclusive';

const store = new MemoryStore([{ id: 'a' }]);
const good = {
  registry: new ConnectionRegistry({ store, factory: { create: () => ({}) } }),
  claims: new MemoryClaims(),
  list: () => store.list(),
  run: async () => undefined,
};

describe('options of an ExclusiveRunner', () => {
  test('have defaults', () => {
    expect(() => new ExclusiveRunner(good)).not.toThrow();
    expect(new ExclusiveRunner(good).snapshot()).toMatchObject({
      state: 'idle',
      members: [],
      listed: 0,
      share: 0,
      load: 0,
      connections: [],
    });
    expect(new ExclusiveRunner({ ...good, replicaName: 'pod-7' }).replica).toMatch(/^pod-7-[0-9a-f-]{36}$/);
  });

  test.each([
    [{ registry: {} }, 'registry: expected a ConnectionRegistry, got an object'],
    [{ claims: undefined }, 'claims: expected a claim store: an object with renew, claim and release, got nothing'],
    [{ list: [] }, 'list: expected a function, got an array'],
    [{ run: undefined }, 'run: expected a function, or provision instead, got nothing'],
    [{ run: 'x' }, 'run: expected a function, got a string'],
    [{ provision: 7 }, 'provision: expected a function, got 7'],
    [{ watch: true }, 'watch: expected a function, got true'],
    [{ ttlMs: 5 }, 'ttlMs: expected milliseconds from 10 to 2147483647, got 5'],
    [{ ttlMs: Number.NaN }, 'ttlMs: expected milliseconds from 10 to 2147483647, got NaN'],
    [{ ttlMs: 2 ** 31 }, 'ttlMs: expected milliseconds from 10 to 2147483647, got 2147483648'],
    [{ startBackoff: { initialMs: 5, maxMs: 1 } }, 'startBackoff.maxMs: expected at least initialMs (5), got 1'],
    [{ startBackoff: { initialMs: 0, maxMs: 1 } }, 'startBackoff.initialMs: expected milliseconds from 1 to 2147483647, got 0'],
    [{ handOverAfterFailures: 0 }, 'handOverAfterFailures: expected an integer of at least 1, got 0'],
    [{ maxConcurrentStarts: 1.5 }, 'maxConcurrentStarts: expected an integer of at least 1, got 1.5'],
    [{ replicaName: 'a b' }, 'replicaName: expected 1 to 64 letters, digits and ._:-, got "a b"'],
    [{ clock: {} }, 'clock: expected a clock: { now, monotonic, setTimeout }, got an object'],
    [{ stopTimeoutMs: '10s' }, 'stopTimeoutMs: expected milliseconds from 0 to 2147483647, got "10s"'],
  ])('are refused when wrong: %o', (wrong, message) => {
    expect(() => new ExclusiveRunner({ ...good, ...wrong } as never))
      .toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS', message: `ExclusiveRunner: ${message}` }));
  });

  test.each(['marginMs', 'renewIntervalMs', 'stableAfterMs', 'handOverCoolDownMs', 'random'])(
    'of an earlier version are refused: %s',
    (gone) => {
      expect(() => new ExclusiveRunner({ ...good, [gone]: 1 } as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTIONS', message: `ExclusiveRunner: does not know '${gone}'` }),
      );
    },
  );

  test('are refused when they are no object', () => {
    expect(() => new ExclusiveRunner(null as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
  });
});
