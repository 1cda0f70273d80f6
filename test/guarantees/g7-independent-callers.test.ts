import { describe, expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

describe('G7 callers are independent', () => {
  test("one caller's abort or timeout among many never fails another, nor aborts the hydrate", async () => {
    const h = new Harness();
    h.rows.put('a');
    const gate = h.holdCreate();
    const controller = new AbortController();
    const aborted = h.registry.use('a', () => 1, { signal: controller.signal });
    const impatient = h.registry.use('a', () => 2, { timeoutMs: 1_000 });
    const patient = h.registry.use('a', () => 3);
    impatient.catch(() => {});
    await h.settle();
    const reason = new Error('the user left');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await h.clock.advance(1_000);
    await expect(impatient).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT', connectionId: 'a' });
    expect(h.contexts[0]?.signal.aborted).toBe(false);
    gate.resolve();
    expect(await patient).toBe(3);
  });

  test("the last caller's abort aborts the hydrate", async () => {
    const h = new Harness();
    h.rows.put('a');
    const gate = h.holdCreate();
    const callers = [new AbortController(), new AbortController()];
    const uses = callers.map(({ signal }) => h.registry.use('a', () => {}, { signal }));
    for (const use of uses) use.catch(() => {});
    await h.settle();
    callers[0]?.abort();
    expect(h.contexts[0]?.signal.aborted).toBe(false);
    callers[1]?.abort(new Error('gone'));
    expect(h.contexts[0]?.signal.reason).toEqual(new Error('gone'));
    gate.reject(new Error('aborted'));
    await h.settle();
    expect(h.eventsOf('hydrationFailed')).toEqual([]);
  });

  test('a signal that is first read after the abort is already aborted', async () => {
    const h = new Harness();
    h.rows.put('a');
    const gate = h.holdCreate();
    const controller = new AbortController();
    h.registry.use('a', () => {}, { signal: controller.signal }).catch(() => {});
    await h.settle();
    controller.abort();
    expect(h.contexts[0]?.signal.aborted).toBe(true);
    gate.resolve();
  });

  test('timeouts never abort a hydrate: ten callers that time out cause one create, which serves the eleventh', async () => {
    const h = new Harness();
    h.rows.put('a');
    const gate = h.holdCreate();
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const use = h.registry.use('a', () => {}, { timeoutMs: 1_000 });
      use.catch(() => {});
      await h.clock.advance(1_000);
      await expect(use).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    }
    gate.resolve();
    await h.registry.use('a', () => {});
    expect(h.creates).toBe(1);
  });

  test('a use that arrives after the abort waits for that create to settle, then hydrates again', async () => {
    const h = new Harness();
    h.rows.put('a');
    const first = h.holdCreate();
    const controller = new AbortController();
    h.registry.use('a', () => {}, { signal: controller.signal }).catch(() => {});
    await h.settle();
    controller.abort();
    const use = h.registry.use('a', ({ name }) => name);
    await h.settle();
    expect(h.creates).toBe(1);
    first.resolve();
    expect(await use).toBe('a@v1#1');
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 unused', 'create a@v1']);
  });

  test('a create that ignores the abort is not waited for beyond its hydration timeout', async () => {
    const h = new Harness({ hydrationTimeoutMs: 2_000 });
    h.rows.put('a');
    h.holdCreate();
    const controller = new AbortController();
    h.registry.use('a', () => {}, { signal: controller.signal }).catch(() => {});
    await h.settle();
    controller.abort();
    const use = h.registry.use('a', ({ name }) => name);
    await h.clock.advance(2_000);
    expect(await use).toBe('a@v1#1');
  });

  test('an aborted use that waits for a permit settles at once and fails no other use', async () => {
    const h = new Harness({ maxConcurrentHydrations: 1 });
    for (const id of ['a', 'b', 'c']) h.rows.put(id);
    const gate = h.holdCreate();
    const running = h.registry.use('a', () => {});
    const controller = new AbortController();
    const queued = h.registry.use('b', () => {}, { signal: controller.signal });
    const behind = h.registry.use('c', () => {});
    await h.settle();
    expect(h.registry.snapshot()).toMatchObject({ hydrating: 3, queued: 2 });
    controller.abort();
    await expect(queued).rejects.toMatchObject({ name: 'AbortError' });
    expect(h.registry.snapshot()).toMatchObject({ hydrating: 2, queued: 1 });
    const again = h.registry.use('b', ({ name }) => name);
    await h.settle();
    gate.resolve();
    await Promise.all([running, behind]);
    expect(await again).toBe('b@v2#2');
  });

  test('a signal that is already aborted causes no read', async () => {
    const h = new Harness();
    h.rows.put('a');
    await expect(h.registry.use('a', () => {}, { signal: AbortSignal.abort('never mind') })).rejects.toBe('never mind');
    expect(h.rows.reads).toEqual([]);
  });

  test('a caller that leaves during the row read leaves no listener on its signal', async () => {
    const h = new Harness();
    h.rows.put('a');
    h.rows.hold();
    const controller = new AbortController();
    const leaving = h.registry.use('a', () => {}, { signal: controller.signal });
    leaving.catch(() => {});
    await h.settle();
    controller.abort(new Error('gone'));
    await expect(leaving).rejects.toThrow('gone');
    h.rows.letAllGo();
    await h.settle();
    expect(h.creates).toBe(0);
    expect(h.clock.pendingRefTimers).toBe(0);
  });
});
