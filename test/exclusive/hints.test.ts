import { describe, expect, test } from 'vitest';
import { Hints } from '../../src/exclusive/hints.js';
import { deferred } from '../support/deferred.js';
import { TestEnvironment } from './support/environment.js';

test('a subscription is opened again after a failure, but not after the end', async () => {
  const environment = new TestEnvironment();
  const { clock } = environment;
  const failures: unknown[] = [];
  const failed = (error: unknown): void => void failures.push(error);
  let tries = 0;
  let disposed = 0;
  const hints = new Hints(environment, 100, async () => {
    tries += 1;
    if (tries < 3) throw new Error('no');
    return { [Symbol.asyncDispose]: async () => { disposed += 1; } };
  }, failed);
  await clock.advance(99);
  expect({ tries, pending: clock.pendingTimers, ref: clock.pendingRefTimers }).toEqual({ tries: 1, pending: 1, ref: 1 });
  await clock.advance(101);
  expect({ tries, failures: failures.length }).toEqual({ tries: 3, failures: 2 });
  await hints.stop();
  expect(disposed).toBe(1);

  const gate = deferred<AsyncDisposable>();
  const late = new Hints(environment, 100, () => gate.promise, failed);
  const stopped = late.stop();
  gate.reject(new Error('after the end'));
  await stopped;
  const waiting = new Hints(environment, 100, async () => { throw new Error('no'); }, () => {});
  await clock.advance(0);
  await waiting.stop();
  expect({ failures: failures.length, pending: clock.pendingTimers }).toEqual({ failures: 2, pending: 0 });
});

describe('the end of a subscription', () => {
  const subscribed = (environment: TestEnvironment, end: () => Promise<void>) => {
    const failures: unknown[] = [];
    const subscribe = async (): Promise<AsyncDisposable> => ({ [Symbol.asyncDispose]: end });
    return { failures, hints: new Hints(environment, 100, subscribe, (error) => { failures.push(error); }) };
  };

  test('that fails is reported, and stop resolves', async () => {
    const error = new Error('connection reset');
    const { failures, hints } = subscribed(new TestEnvironment(), async () => { throw error; });
    await hints.stop();
    expect(failures).toEqual([error]);
  });

  test('that hangs is reported after five seconds, and stop resolves', async () => {
    const environment = new TestEnvironment();
    const { failures, hints } = subscribed(environment, () => new Promise(() => undefined));
    const stopped = hints.stop();
    await environment.clock.advance(4_999);
    expect(failures).toEqual([]);
    await environment.clock.advance(1);
    await stopped;
    expect(failures).toMatchObject([{ code: 'STORE_UNAVAILABLE' }]);
  });

  test('is begun by a runner that is out of time, but neither waited for nor reported', async () => {
    const environment = new TestEnvironment();
    let begun = false;
    const { failures, hints } = subscribed(environment, () => {
      begun = true;
      return new Promise(() => undefined);
    });
    environment.giveUp();
    await hints.stop();
    await environment.clock.advance(0);
    expect({ begun, failures }).toEqual({ begun: true, failures: [] });
  });
});
