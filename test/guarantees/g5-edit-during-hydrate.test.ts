import { describe, expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

describe('G5 edit during hydrate', () => {
  test('the old version goes only to callers that waited before the edit, later uses get the new one', async () => {
    const h = new Harness();
    h.rows.put('a', { token: 'one' });
    const old = h.holdCreate();
    const early = h.registry.acquire('a');
    await h.settle();
    h.rows.put('a', { token: 'two' });
    const late = h.registry.acquire('a');
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'create a@v2']);
    expect((await late).record.token).toBe('two');
    old.resolve();
    expect((await early).record.token).toBe('one');
    expect((await early).stale).toBe(true);
    (await early).release();
    await h.settle();
    expect(h.log.at(-1)).toBe('dispose a@v1 replaced');
    expect((await late).stale).toBe(false);
  });

  test('the instance is stamped with the row it was built from', async () => {
    const h = new Harness();
    h.rows.put('a', { token: 'one' });
    const gate = h.holdCreate();
    const lease = h.registry.acquire('a');
    await h.settle();
    h.rows.put('a', { token: 'two' });
    gate.resolve();
    expect((await lease).record.version).toBe('v1');
    expect(await h.registry.use('a', ({ row }) => row.token)).toBe('two');
  });

  test('constant edits starve no caller, because a waiter is never moved to a later version', async () => {
    const h = new Harness();
    h.rows.put('a');
    const leases = [];
    for (let edit = 0; edit < 20; edit += 1) {
      h.holdCreate();
      leases.push(h.registry.acquire('a'));
      await h.settle();
      h.rows.put('a');
    }
    for (const gate of h.creating) gate?.resolve();
    const versions = (await Promise.all(leases)).map(({ record }) => record.version);
    expect(versions).toEqual(Array.from({ length: 20 }, (_, index) => `v${index + 1}`));
  });

  test('a stop during a hydrate: its waiters are served, later uses are refused', async () => {
    const h = new Harness();
    h.rows.put('a');
    const gate = h.holdCreate();
    const early = h.registry.use('a', ({ row }) => row.status);
    await h.settle();
    h.rows.stop('a');
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'CONNECTION_STOPPED' });
    gate.resolve();
    expect(await early).toBe('active');
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 stopped']);
  });
});
