import { ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { Backoff } from '../../src/backoff.js';
import { Environment } from '../../src/environment.js';
import { Slot } from '../../src/slot/state.js';
import { Slots } from '../../src/slot/slots.js';
import type { Creating, Pending, RunningCreate, SlotWaiter } from '../../src/slot/state.js';

type Row = { id: string; version: string; status: 'active' };
type Made = Slot<Row, string>;

const running = (): RunningCreate => ({ cleanUps: [], retired: undefined, abort: () => {} });
const waiter: SlotWaiter<Row, string> = { deliver: () => {}, fail: () => {} };

/** Guarantees that hold for calls in any order, including orders that the registry does not use today. */
describe('the states of a slot', () => {
  let slots: Slots<Row, string>;
  let all: Made[];
  const row = (version = '1'): Row => ({ id: 'a', version, status: 'active' });
  const pendingOf = (slot: Made): Pending<Row, string> => slot.state as Pending<Row, string>;
  const made = (version?: string): Made => {
    const slot: Made = new Slot(row(version), { create: () => 'instance' }, 0, false);
    slots.beginning.toPending(slot);
    all.push(slot);
    return slot;
  };
  const creating = (slot: Made): Creating<Row, string> => {
    slots.beginning.toCreating(slot, pendingOf(slot), running());
    return slot.state as Creating<Row, string>;
  };
  const live = (version?: string): Made => {
    const slot = made(version);
    slots.install(slot);
    slots.toLive(slot, creating(slot), 'instance', 0);
    return slot;
  };

  beforeEach(() => {
    const clock = new ManualClock();
    const limits = {
      maxInstances: 10,
      eviction: 'lru',
      idleTimeoutMs: 1_000,
      drainTimeoutMs: 1_000,
      disposeTimeoutMs: 1_000,
      clock,
    };
    slots = new Slots<Row, string>(
      new Environment<Row, string>(limits as never),
      new Backoff({ initialMs: 0, maxMs: 0 }, clock),
      () => {},
    );
    all = [];
  });

  test('a slot that is superseded from the start is departing at once', () => {
    const slot: Made = new Slot(row(), { create: () => 'instance' }, 0, false);
    slots.beginning.toPending(slot, { reason: 'invalidated', cause: undefined });
    slots.installSuperseded(slot);
    expect([...slots.departing.of('a')]).toEqual([slot]);
    expect(slots.index.size).toBe(0);
    expect(slots.isEmpty).toBe(false);
  });

  test('the first reason for superseding a slot counts', () => {
    const slot = made();
    pendingOf(slot).waiters.add(waiter);
    slots.install(slot);
    slots.supersede(slot, 'stopped');
    slots.supersede(slot, 'deleted');
    expect(pendingOf(slot).superseded?.reason).toBe('stopped');
  });

  test('a slot superseded while pending is given up at once if no caller waits for it', () => {
    const [nobodys, awaited]: Made[] = [made(), made()];
    for (const slot of [nobodys, awaited] as Made[]) {
      slots.install(slot);
      if (slot === awaited) pendingOf(slot).waiters.add(waiter);
      slots.supersede(slot, 'replaced');
    }
    expect(nobodys?.state.kind).toBe('disposed');
    expect(awaited?.state.kind).toBe('pending');
    expect(all.filter(({ state }) => state.kind === 'disposed')).toEqual([nobodys]);
  });

  test('a slot superseded while creating is created to its end', () => {
    const slot = made();
    slots.install(slot);
    creating(slot);
    slots.supersede(slot, 'replaced');
    expect(slot.state.kind).toBe('creating');
  });

  test('a draining slot is not superseded again', () => {
    const slot = live();
    slots.hold(slot);
    slots.supersede(slot, 'stopped');
    const { state } = slot;
    slots.supersede(slot, 'deleted');
    expect(slot.state).toBe(state);
    expect(slot.state.kind).toBe('draining');
  });

  test('a pending or creating successor releases its fallback; others have none', () => {
    const fallback = live();
    for (const begun of [false, true]) {
      const successor = made('2');
      slots.hold(fallback);
      pendingOf(successor).fallback = fallback;
      if (begun) creating(successor);
      slots.dropFallback(successor);
      expect(fallback.leases).toBe(0);
      slots.dropFallback(successor);
      expect(fallback.leases).toBe(0);
    }
    slots.dropFallback(fallback);
    slots.dropFallback(undefined);
  });
});
