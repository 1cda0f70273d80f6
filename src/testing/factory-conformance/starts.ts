import assert from 'node:assert/strict';
import type { ConnectionRecord } from '../../contracts/record.js';
import { becomes, pause, unlessOverdue, type FactoryUnderTest, type Suite } from './harness.js';
import { leavesNothing } from './leftovers.js';
import { Life } from './life.js';

/** A start is given up after this time, in milliseconds. */
const MOMENTS = [0, 1, 10];

/** A start that fails or is given up leaves nothing open, and never ends the process. */
export function startTests<R extends ConnectionRecord, I>({
  test,
  timeoutMs,
  capabilities: { lives = 100 },
}: Suite<R, I>): void {
  const leavesNoConnection = (subject: FactoryUnderTest<R, I>): Promise<void> =>
    becomes('connections left open', 0, timeoutMs, () => subject.open());

  test('start: a failed start leaves nothing open', async (subject) => {
    if (subject.failing === undefined) return;
    await fails(new Life(subject, timeoutMs, subject.failing), 'the failing row started');
    await leavesNoConnection(subject);
  });

  test('start: an aborted start ends in time and leaves nothing open', async (subject) => {
    for (const moment of MOMENTS) {
      await subject.behave('hang');
      const life = new Life(subject, timeoutMs);
      const start = life.start().then(() => life.end(), unlessOverdue);
      await pause(moment);
      life.giveUp();
      await start;
      await leavesNoConnection(subject);
      await subject.behave('serve');
    }
  });

  test('start: an aborted start that succeeds leaves nothing open after dispose', async (subject) => {
    for (const moment of MOMENTS) {
      const life = new Life(subject, timeoutMs);
      const start = life.start().then(() => life.end(), unlessOverdue);
      await pause(moment);
      life.giveUp();
      await start;
      await leavesNoConnection(subject);
    }
  });

  test(`start: ${lives} that fail or are aborted leave no listener, timer, socket or handle`, async (subject) => {
    await leavesNothing(subject, lives, 'starts', async () => {
      if (subject.failing !== undefined) await fails(new Life(subject, timeoutMs, subject.failing), 'the failing row started');
      const life = new Life(subject, timeoutMs);
      const start = life.start().then(() => life.end(), unlessOverdue);
      life.giveUp();
      await start;
      await leavesNoConnection(subject);
    });
  });

  for (const [mode, when] of [['refuse', 'before'], ['reset', 'during']] as const) {
    test(`error: an 'error' event ${when} the start fails that start and nothing else`, async (subject) => {
      await subject.behave(mode);
      const life = new Life(subject, timeoutMs);
      if (subject.failing !== undefined) await fails(life, 'it started, although the server is gone');
      else await worksNot(life, subject);
      await subject.behave('serve');
      await leavesNoConnection(subject);
      const next = await new Life(subject, timeoutMs).start();
      await subject.use(next.instance);
      await next.end();
    });
  }
}

/** Fails unless the start fails, and by itself. */
async function fails(life: Life<any, any>, otherwise: string): Promise<void> {
  await assert.rejects(life.start(), (error) => { unlessOverdue(error); return true; }, otherwise);
}

/** A start that makes no call succeeds. Then the first use must fail. */
async function worksNot<I>(life: Life<any, I>, subject: FactoryUnderTest<any, I>): Promise<void> {
  const work = life.start().then(({ instance }) => subject.use(instance));
  await assert.rejects(work, (error) => { unlessOverdue(error); return true; }, 'it worked, although the server is gone');
  await life.end();
}
