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
    { wrong: { registry: {} }, message: 'registry: expected a ConnectionRegistry, got an object' },
    {
      wrong: { claims: undefined },
      message: 'claims: expected a claim store: an object with renew, claim and release, got nothing',
    },
    { wrong: { list: [] }, message: 'list: expected a function, got an array' },
    { wrong: { run: undefined }, message: 'run: expected a function, or provision instead, got nothing' },
    { wrong: { run: 'x' }, message: 'run: expected a function, got a string' },
    { wrong: { provision: 7 }, message: 'provision: expected a function, got 7' },
    { wrong: { watch: true }, message: 'watch: expected a function, got true' },
    { wrong: { ttlMs: 5 }, message: 'ttlMs: expected milliseconds from 10 to 2147483647, got 5' },
    { wrong: { ttlMs: Number.NaN }, message: 'ttlMs: expected milliseconds from 10 to 2147483647, got NaN' },
    { wrong: { ttlMs: 2 ** 31 }, message: 'ttlMs: expected milliseconds from 10 to 2147483647, got 2147483648' },
    {
      wrong: { startBackoff: { initialMs: 5, maxMs: 1 } },
      message: 'startBackoff.maxMs: expected at least initialMs (5), got 1',
    },
    {
      wrong: { startBackoff: { initialMs: 0, maxMs: 1 } },
      message: 'startBackoff.initialMs: expected milliseconds from 1 to 2147483647, got 0',
    },
    { wrong: { handOverAfterFailures: 0 }, message: 'handOverAfterFailures: expected an integer of at least 1, got 0' },
    { wrong: { maxConcurrentStarts: 1.5 }, message: 'maxConcurrentStarts: expected an integer of at least 1, got 1.5' },
    { wrong: { replicaName: 'a b' }, message: 'replicaName: expected 1 to 64 letters, digits and ._:-, got "a b"' },
    { wrong: { clock: {} }, message: 'clock: expected a clock: { now, monotonic, setTimeout }, got an object' },
    { wrong: { stopTimeoutMs: '10s' }, message: 'stopTimeoutMs: expected milliseconds from 0 to 2147483647, got "10s"' },
  ])('are refused when wrong: $wrong', ({ wrong, message }) => {
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
