import assert from 'node:assert/strict';
import type { ConnectionRecord } from '../../contracts/record.js';
import { becomes, pause, promised, unlessOverdue, type Suite } from './harness.js';
import { leavesNothing } from './leftovers.js';
import { Life } from './life.js';

/** The time after the end in which nothing may be sent, in milliseconds. */
const QUIET_MS = 50;

/** An end from outside retires the instance; an end from inside is complete. */
export function endTests<R extends ConnectionRecord, I>({
  test,
  timeoutMs,
  capabilities: { connected = false, events = false, lives = 100 },
}: Suite<R, I>): void {
  if (connected) {
    for (const [name, cut] of [
      ["error: an 'error' event after the start", 'reset'],
      ['close: a close from outside', 'hangUp'],
    ] as const) {
      test(`${name} retires that instance and nothing else`, async (subject) => {
        const life = await new Life(subject, timeoutMs).start();
        await promised(subject[cut], cut).call(subject);
        await becomes('instances that called retire()', 1, timeoutMs, () => Math.min(1, life.retired.length));
        await life.end('retired');
        await becomes('connections left open', 0, timeoutMs, () => subject.open());
        const next = await new Life(subject, timeoutMs).start();
        await subject.use(next.instance);
        await next.end();
      });
    }
  } else {
    test("error: an 'error' event after the start retires that instance, or the instance goes on", async (subject) => {
      if (subject.reset === undefined) return;
      const life = await new Life(subject, timeoutMs).start();
      await subject.use(life.instance);
      await subject.reset();
      await pause(QUIET_MS);
      if (life.retired.length === 0) await subject.use(life.instance);
      await life.end();
      await becomes('connections left open', 0, timeoutMs, () => subject.open());
    });
  }

  test('stop: ends in time, may be repeated, and sends nothing afterwards', async (subject) => {
    const life = await new Life(subject, timeoutMs).start();
    await subject.use(life.instance);
    await life.end();
    await becomes('connections left open', 0, timeoutMs, () => subject.open());
    const received = await subject.received();
    await life.end();
    await pause(QUIET_MS);
    assert.equal(await subject.received(), received, 'something was sent after the instance had been disposed of');
  });

  test("replacement: two instances of one row overlap, unless the factory says 'drain-first'", async (subject) => {
    if (subject.factory.replacement === 'drain-first') return;
    const old = await new Life(subject, timeoutMs).start();
    // A registry does the same, because the old instance may make room for its successor.
    old.supersede();
    const next = await new Life(subject, timeoutMs).start();
    await pause(QUIET_MS);
    assert.deepEqual(
      { old: old.retired.length, next: next.retired.length },
      { old: 0, next: 0 },
      "the two disturb each other: set replacement: 'drain-first'",
    );
    await subject.use(old.instance);
    await old.end('replaced');
    await subject.use(next.instance);
    assert.equal(next.retired.length, 0, "the old instance's end retired its successor");
    await next.end();
  });

  if (events) {
    test('events: they reach the application only while the instance is current', async (subject) => {
      const [push, heard] = [promised(subject.push, 'push').bind(subject), promised(subject.heard, 'heard').bind(subject)];
      const life = await new Life(subject, timeoutMs).start();
      await push();
      await becomes('events heard', 1, timeoutMs, heard);
      life.supersede();
      await push();
      await pause(QUIET_MS);
      assert.equal(await heard(), 1, 'a superseded instance passed on an event: listen to context.superseded');
      await life.end('replaced');
    });

    for (const when of ['before', 'during'] as const) {
      test(`events: none reaches the application if the instance was superseded ${when} its start`, async (subject) => {
        const [push, heard] = [promised(subject.push, 'push').bind(subject), promised(subject.heard, 'heard').bind(subject)];
        const life = new Life(subject, timeoutMs);
        if (when === 'before') life.supersede();
        const start = life.start().catch(unlessOverdue);
        life.supersede();
        await start;
        await push();
        await pause(QUIET_MS);
        assert.equal(await heard(), 0, 'it passed on an event: context.superseded may abort at any time, so ask it as well');
        await life.end('replaced');
      });
    }
  }

  test(`lives: ${lives} of them leave no listener, timer, socket or handle`, async (subject) => {
    await leavesNothing(subject, lives, 'lives', async () => {
      const life = await new Life(subject, timeoutMs).start();
      await subject.use(life.instance);
      await life.end();
      await becomes('connections left open', 0, timeoutMs, () => subject.open());
    });
  });
}
