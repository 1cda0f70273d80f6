import type { Tenure } from 'hydrant/exclusive';
import { afterEach, describe, expect, test } from 'vitest';
import { Cluster, type Bot, type Replica, type Row } from './support/cluster.js';

let cluster: Cluster;
afterEach(() => cluster.close());

/** A replica whose loop has run once. */
async function served(run: (tenure: Tenure<Row, Bot>) => Promise<void>): Promise<Replica> {
  cluster = new Cluster(1);
  const replica = cluster.replica({ run });
  replica.runner.start();
  await cluster.clock.advance(1_500);
  return replica;
}

describe('a clean-up that fails', () => {
  const failures = (replica: Replica): unknown[] => replica.happened('startFailed').map(({ error }) => error);
  const [loggedOut, notClosed, notDeleted] = ['logged out', 'the socket did not close', 'the webhook was not deleted']
    .map((message) => new Error(message));

  test('does not hide why the loop failed', async () => {
    const replica = await served(async ({ onEnd }) => {
      onEnd(() => { throw notClosed; });
      throw loggedOut;
    });
    expect(failures(replica)).toEqual([loggedOut]);
  });

  test('is reported if the loop returned too early, and the first of several counts', async () => {
    const replica = await served(async ({ onEnd }) => {
      onEnd(() => Promise.reject(notDeleted));
      onEnd(() => { throw notClosed; });
    });
    expect(failures(replica)).toEqual([notClosed]);
  });
});

test('a clean-up cannot be added to a tenure that is over, because it would never run', async () => {
  let kept!: Tenure<Row, Bot>;
  await served(async (tenure) => {
    kept = tenure;
    throw new Error('logged out');
  });
  expect(() => kept.onEnd(() => undefined)).toThrow(expect.objectContaining({ code: 'CLAIM_LOST' }));
});
