import { afterEach, describe, expect, test, vi } from 'vitest';
import { deferred } from '../support/deferred.js';
import { GivenHints } from '../support/given-hints.js';
import { Harness, Rows, type HarnessOptions, type Row } from '../support/harness.js';
import { open, outcomeOf } from './support/use.js';

afterEach(() => { vi.restoreAllMocks(); });

describe('the effect of a row on the live instance', () => {
  test('an invalid row of the same version ends no instance', async () => {
    const h = open();
    const row = h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.rows.set('a', { ...row, status: 'paused' as never });
    expect(await outcomeOf(h.registry.use('a', () => {}))).toBe('INVALID_RECORD');
    expect(h.disposes).toBe(0);
  });

  test('keepLastGood: if the new version fails, the last good instance serves, if there is one', async () => {
    const h = open({ keepLastGood: true });
    h.rows.put('a', { status: 'paused' as never });
    expect(await outcomeOf(h.registry.use('a', () => {}))).toBe('INVALID_RECORD');
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.put('a', { status: 'paused' as never });
    expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v2');
  });

  test('staleIfErrorMs counts from the last good check', async () => {
    const h = open({ staleIfErrorMs: 1_000 });
    await h.clock.advance(10_000);
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.failure = new Error('down');
    await h.clock.advance(1_000);
    expect(await outcomeOf(h.registry.use('a', () => {}))).toBe('served');
    await h.clock.advance(1);
    expect(await outcomeOf(h.registry.use('a', () => {}))).toBe('STORE_UNAVAILABLE');
  });

  test('an unchanged row is not parsed again', async () => {
    let parsed = 0;
    const validate = (value: unknown) => { parsed += 1; return { value: value as Row }; };
    const h = open({ recordSchema: { '~standard': { version: 1, vendor: 'test', validate } } } as HarnessOptions);
    h.rows.put('a');
    await h.registry.use('a', () => {});
    await h.registry.use('a', () => {});
    expect(parsed).toBe(1);
  });

  test.each([
    { storeTimeoutMs: 1_000, timers: 1 },
    { storeTimeoutMs: Infinity, timers: 0 },
  ])(
    'an asynchronous schema with storeTimeoutMs $storeTimeoutMs has $timers timers, which keep the process alive',
    async ({ storeTimeoutMs, timers }) => {
      const gate = deferred();
      const validate = (value: unknown) => gate.promise.then(() => ({ value: value as Row }));
      const h = open({
        storeTimeoutMs,
        acquireTimeoutMs: Infinity,
        recordSchema: { '~standard': { version: 1, vendor: 'test', validate } },
      } as HarnessOptions);
      h.rows.put('a');
      const use = h.registry.use('a', () => 'served');
      await h.settle();
      expect(h.clock).toMatchObject({ pendingTimers: timers, pendingRefTimers: timers });
      gate.resolve();
      expect(await use).toBe('served');
      expect(h.clock.pendingTimers).toBe(0);
    },
  );
});

describe('a changed version', () => {
  const versioned = (): {
    h: Harness;
    rows: Rows;
    hold: () => void;
    letGo: () => void;
    sent: string[];
    changed: (ids: string[]) => void;
  } => {
    const rows = new Rows();
    const sent: string[] = [];
    let gate: ReturnType<typeof deferred> | undefined;
    const hints = new GivenHints();
    const h = open({
      freshness: 'strict',
      store: {
        get: (id) => {
          sent.push(`row ${id}`);
          return rows.get(id);
        },
        getVersions: async (ids) => {
          sent.push(`versions ${ids.join(' ')}`);
          const seen = new Map(
            ids.flatMap((id) => {
              const row = rows.rows.get(id);
              return row === undefined ? [] : [[id, row.version] as const];
            }),
          );
          await gate?.promise;
          return seen;
        },
        watch: hints.watch,
      },
    });
    return {
      h,
      rows,
      sent,
      hold: () => {
        gate = deferred();
      },
      letGo: () => gate?.resolve(undefined),
      changed: (ids) => hints.changed(ids),
    };
  };

  test('announced by a hint causes a read of the row and ends the old instance', async () => {
    const { h, rows, sent, changed } = versioned();
    rows.put('a');
    await h.registry.use('a', () => {});
    rows.put('a');
    sent.length = 0;
    changed(['a']);
    await h.settle();
    expect(sent).toEqual(['versions a', 'row a']);
    expect(h.log.at(-1)).toBe('dispose a@v1 replaced');
  });

  test('requested by a caller that has left still causes a read of the row', async () => {
    const { h, rows, hold, letGo } = versioned();
    rows.put('a');
    await h.registry.use('a', () => {});
    rows.put('a');
    hold();
    const leaving = new AbortController();
    const use = outcomeOf(h.registry.use('a', () => {}, { signal: leaving.signal }));
    await h.settle();
    leaving.abort('gone');
    expect(await use).toBe('gone');
    letGo();
    await h.settle();
    expect(h.log.at(-1)).toBe('dispose a@v1 replaced');
  });

  test('of a connection without an instance or a caller causes no read of the row', async () => {
    const { h, rows, sent, hold, letGo, changed } = versioned();
    rows.put('a');
    await h.registry.use('a', () => {});
    rows.put('a');
    hold();
    sent.length = 0;
    changed(['a']);
    await h.settle();
    h.registry.invalidate('a');
    letGo();
    await h.settle();
    expect(sent).toEqual(['versions a']);
  });
});
