import { ManualClock } from 'hydrant/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Admission } from '../../src/hydrate/admission.js';
import { Backoff } from '../../src/backoff.js';
import { Environment } from '../../src/environment.js';
import { CreateContext } from '../../src/hydrate/create-context.js';
import { confirms, parseRow } from '../../src/reads/row.js';
import { Secrets } from '../../src/hydrate/secrets.js';
import { BackgroundWaiter, RowWaiter } from '../../src/reads/waiters.js';
import { ConnectionError } from '../../src/errors.js';
import { Slot } from '../../src/slot/state.js';
import { Slots } from '../../src/slot/slots.js';
import { deferred } from '../support/deferred.js';

type Row = { id: string; version: string; status: 'active' };
const row = (version = '1'): Row => ({ id: 'a', version, status: 'active' });

afterEach(() => { vi.restoreAllMocks(); });

describe('back-off', () => {
  test('of another version counts until it ends, and no longer', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const clock = new ManualClock();
    const backoff = new Backoff({ initialMs: 100, maxMs: 1_000 }, clock);
    expect(backoff.leavesAnotherAlone('a', '1')).toBe(false);
    backoff.fail('a', '2');
    expect(backoff.leavesAnotherAlone('a', '1')).toBe(true);
    expect(backoff.leavesAnotherAlone('a', '2')).toBe(false);
    await clock.advance(99);
    expect(backoff.leavesAnotherAlone('a', '1')).toBe(true);
    await clock.advance(1);
    expect(backoff.leavesAnotherAlone('a', '1')).toBe(false);
  });

  test.each([
    { livedMs: 0, found: 'by itself', count: 4 },
    { livedMs: 60_000, found: 'by itself', count: 3.5 },
    { livedMs: 240_000, found: 'by itself', count: 2 },
    { livedMs: 480_000, found: 'by itself', count: 0 },
    { livedMs: 0, found: 'in use', count: 4 },
    { livedMs: 60_000, found: 'in use', count: 3.5 },
    { livedMs: 360_000, found: 'in use', count: 1 },
    { livedMs: 3_600_000, found: 'in use', count: 1 },
  ])(
    'an instance hydrated after 3 failures, reported dead $found after $livedMs ms, counts as $count failures',
    async ({ livedMs, found, count }) => {
      const clock = new ManualClock();
      const backoff = new Backoff({ initialMs: 100, maxMs: 10_000 }, clock);
      await clock.advance(5_000);
      const hydratedAt = clock.monotonic();
      await clock.advance(livedMs);
      backoff.died('a', '1', hydratedAt, 3, found === 'in use');
      expect(backoff.count('a', '1')).toBe(count);
    },
  );
});

describe('the context of a create', () => {
  const context = (): CreateContext<Row, unknown> => {
    const clock = new ManualClock();
    const backoff = new Backoff({ initialMs: 0, maxMs: 0 }, clock);
    const slots = new Slots<Row, unknown>(new Environment<Row, unknown>({ clock } as never), backoff, () => {});
    return new CreateContext(slots, new Slot<Row, unknown>(row(), { create: () => ({}) }, 0, false));
  };

  test('has one signal', () => {
    const one = context();
    expect(one.signal).toBe(one.signal);
  });

  test('is aborted once, for the first reason, whether its signal is read before or after', () => {
    const [early, late] = [context(), context()];
    const { signal } = early;
    for (const one of [early, late]) { one.abort('first'); one.abort('second'); }
    expect({ reason: signal.reason, lateReason: late.signal.reason, lateAborted: late.signal.aborted }).toEqual({
      reason: 'first',
      lateReason: 'first',
      lateAborted: true,
    });
  });
});

describe('a waiter for a read', () => {
  const error = new ConnectionError('STORE_UNAVAILABLE', 'down');

  test('of a webhook is settled once it has its row, has failed, or its sender has left', async () => {
    const [found, failed] = [
      new RowWaiter<Row, unknown>(true, () => false),
      new RowWaiter<Row, unknown>(true, () => false),
    ];
    expect(found.settled).toBe(false);
    found.found({ slot: new Slot<Row, unknown>(row(), { create: () => ({}) }, 0, false), sentAt: 0, letGo: () => {} });
    failed.fail(error);
    expect({ found: found.settled, failed: failed.settled }).toEqual({ found: true, failed: true });
    expect((await found.promise).slot.record).toEqual(row());
    await expect(failed.promise).rejects.toBe(error);
    expect(new RowWaiter<Row, unknown>(true, () => true).settled).toBe(true);
  });

  test('of a background check is settled by its row or its failure, and calls back', () => {
    const told: unknown[] = [];
    const [found, failed] = [1, 2].map(() => new BackgroundWaiter<Row>((cause) => told.push(cause))) as [
      BackgroundWaiter<Row>,
      BackgroundWaiter<Row>,
    ];
    found.found();
    failed.fail(error);
    expect({ found: found.settled, failed: failed.settled, background: found.background }).toEqual({
      found: true,
      failed: true,
      background: true,
    });
    expect(told).toEqual([undefined, error]);
  });
});

const environment = (clock: ManualClock) => ({ clock, apart: <T>(_record: Row, work: () => T): T => work() });

describe('secrets', () => {
  const asking = (secrets: (record: Row) => Promise<unknown>) => ({ create: () => ({}), secrets });
  const never = asking(() => new Promise(() => {}));

  test('are returned without a promise once they have come', async () => {
    const secrets = new Secrets<Row>(environment(new ManualClock()), Infinity);
    expect(secrets.loaded(row())).toBeUndefined();
    expect(await secrets.of(row(), asking(async () => 'one'))).toBe('one');
    expect(secrets.of(row(), never)).toBe('one');
    expect({ same: secrets.loaded(row())?.value, other: secrets.loaded(row('2')) }).toEqual({ same: 'one', other: undefined });
    secrets.forget('a');
    expect(secrets.loaded(row())).toBeUndefined();
  });

  test('of an older version that fail late do not affect the newer one', async () => {
    const secrets = new Secrets<Row>(environment(new ManualClock()), Infinity);
    const [old, now] = [deferred<string>(), deferred<string>()];
    const asked = [
      secrets.of(row('1'), asking(() => old.promise)),
      secrets.of(row('2'), asking(() => now.promise)),
    ];
    old.reject(new Error('too old'));
    now.resolve('two');
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(secrets.of(row('2'), never)).toBe('two');
  });

  test.each(['a newer version', 'none'])('that were queued are still requested, although %s is kept by then', async (kept) => {
    const secrets = new Secrets<Row>(environment(new ManualClock()), Infinity);
    const busy = deferred<string>();
    const factory = asking(({ id, version }) => id === 'a' ? Promise.resolve(`of ${version}`) : busy.promise);
    for (let index = 0; index < 64; index += 1) void secrets.of({ ...row(), id: `b${index}` }, factory, () => {});
    const asked = secrets.of(row('1'), factory, () => {});
    if (kept === 'none') secrets.forget('a');
    else void secrets.of(row('2'), factory);
    busy.resolve('done');
    expect(await asked).toBe('of 1');
  });

  test.each([
    { timeoutMs: 1_000, timers: 1 },
    { timeoutMs: Infinity, timers: 0 },
  ])('with a time-out of $timeoutMs ms, $timers timers keep the process alive', ({ timeoutMs, timers }) => {
    const clock = new ManualClock();
    void new Secrets<Row>(environment(clock), timeoutMs).of(row(), never);
    expect(clock).toMatchObject({ pendingTimers: timers, pendingRefTimers: timers });
  });
});

describe('permits', () => {
  test('of platforms without a share have one queue', () => {
    const admission = new Admission<string>(1, 2, () => {});
    admission.enter('running', {}, undefined);
    admission.enter('first', {}, undefined);
    expect(admission.isFull({}, undefined)).toBe(false);
    admission.enter('second', {}, undefined);
    expect(admission.isFull({}, undefined)).toBe(true);
  });
});

describe('a row', () => {
  const messageOf = async (value: unknown): Promise<string> => {
    const parsed = await parseRow('a', row(), {
      '~standard': { version: 1, vendor: 'test', validate: () => ({ value }) },
    } as never);
    return parsed.kind === 'invalid' ? parsed.error.message : parsed.kind;
  };

  test('that does not exist is missing', () => {
    for (const nothing of [undefined, null]) expect(parseRow('a', nothing, undefined)).toEqual({ kind: 'missing' });
  });

  test('for which a schema returns nothing is invalid', async () => {
    expect(await messageOf(undefined)).toMatch('is not a record: expected an object, got undefined');
    expect(await messageOf(null)).toMatch('is not a record: expected an object, got object');
    expect(await messageOf('text')).toMatch('is not a record: expected an object, got string');
  });

  test('may get its version from its schema', async () => {
    const validate = (value: unknown) => ({ value: { ...value as object, version: String((value as { rev: number }).rev) } });
    const parsed = await parseRow('a', { id: 'a', rev: 7, status: 'active' }, {
      '~standard': { version: 1, vendor: 'test', validate },
    } as never);
    expect(parsed).toMatchObject({ kind: 'active', record: { version: '7' } });
  });

  test('that does not match names the place, whatever the form of the path', async () => {
    const validate = () => ({ issues: [{ message: 'no', path: ['config', { key: 'token' }, 0, null] }] });
    const parsed = await parseRow('a', row(), { '~standard': { version: 1, vendor: 'test', validate } } as never);
    expect(parsed.kind === 'invalid' && parsed.error.message).toMatch('at config.token.0.null');
  });

  test('confirms the live instance by its version, status and id, if they can be read', () => {
    const current = { id: 'a', version: '1' };
    const lazy = Object.defineProperty({ ...row() }, 'status', { get() { throw new Error('detached'); } });
    expect(confirms(row(), current)).toBe(true);
    for (const other of [{ ...row(), version: '2' }, { ...row(), status: 'stopped' }, { ...row(), id: 'b' }, lazy, undefined])
      expect(confirms(other, current)).toBe(false);
  });
});
