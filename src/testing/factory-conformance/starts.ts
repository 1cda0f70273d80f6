import assert from 'node:assert/strict';
import type { ConnectionRecord } from '../../contracts/record.js';
import { becomes, pause, type FactoryUnderTest, type Suite } from './harness.js';
import { Life } from './life.js';

/** A start is given up after this time, in milliseconds. */
const MOMENTS = [0, 1, 10];

/** A start that fails or is given up leaves nothing open, and never ends the process. */
export function startTests<R extends ConnectionRecord, I>({ test, timeoutMs }: Suite<R, I>): void {
  const leavesNothing = (subject: FactoryUnderTest<R, I>): Promise<void> =>
    becomes('connections left open', 0, timeoutMs, () => subject.open());

  test('start: a failed start leaves nothing open', async (subject) => {
    await fails(new Life(subject, timeoutMs, subject.failing), 'the failing row started');
    await leavesNothing(subject);
  });

  test('start: an aborted start ends at once and leaves nothing open', async (subject) => {
    for (const moment of MOMENTS) {
      await subject.behave('hang');
      const life = new Life(subject, timeoutMs);
      const start = life.start().then(() => life.end(), unlessOverdue);
      await pause(moment);
      life.giveUp();
      await start;
      await leavesNothing(subject);
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
      await leavesNothing(subject);
    }
  });

  for (const [mode, when] of [['refuse', 'before'], ['reset', 'during']] as const) {
    test(`error: an 'error' event ${when} the start fails that start and nothing else`, async (subject) => {
      await subject.behave(mode);
      const life = new Life(subject, timeoutMs);
      await fails(life, 'it started, although the server is gone');
      await subject.behave('serve');
      await leavesNothing(subject);
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

/** A start may fail in any way, but it must end. */
function unlessOverdue(error: unknown): void {
  if (error instanceof assert.AssertionError) throw error;
}
