import { afterEach, expect, test } from 'vitest';
import { settle } from 'hydrant/testing';
import { Attempt } from '../../src/exclusive/attempt.js';
import { readInstant, Validity } from '../../src/exclusive/validity.js';
import { Cluster } from '../exclusive/support/cluster.js';
import { TestEnvironment, type Row } from '../exclusive/support/environment.js';

let cluster: Cluster | undefined;
afterEach(() => cluster?.close());

// Without `run`: the listener of `provisioned` runs between the end of `provision` and the stand-by, which then
// listens for an abort that has been.
test('a runner without run that is stopped when it has provisioned stops at once and releases', async () => {
  cluster = new Cluster(1);
  const replica = cluster.replica({ run: undefined as never, provision: async () => undefined });
  let stopped = false;
  replica.runner.on('provisioned', () => void replica.runner.stop().then(() => { stopped = true; }));
  replica.runner.start();
  await cluster.clock.advance(3_000);
  expect(replica.happened('provisioned')).toHaveLength(1);
  expect({
    stopped,
    unproven: replica.happened('stopUnproven').length,
    started: replica.happened('started').length,
    owners: cluster.server.owners().size,
  }).toEqual({ stopped: true, unproven: 0, started: 0, owners: 0 });
});

// The same gap in general: a renewal's answer (lost), a listing (restart), a deadline (expired) that falls into it.
test('an attempt that is ended in the microtask after provision settles', async () => {
  cluster = undefined;
  let settled = false;
  const lease = {
    instance: 'i',
    record: { id: 'a', version: '1', status: 'active' as const },
    stale: false,
    signal: new AbortController().signal,
    retire() {},
    release() {},
    [Symbol.dispose]() {},
  };
  const environment = new TestEnvironment({
    registry: { acquire: async () => lease },
    run: undefined as never,
    provision: async () => undefined,
  });
  const validity = new Validity(1n, readInstant(environment.clock), 10_000, environment.clock);
  const attempt: Attempt<Row, string> = new Attempt(environment, { id: 'a', validity, notes: { provisioned: undefined } }, {
    hydrated() {}, provisionOverdue() {}, started() {}, startDone() {}, expired() {},
    provisioned: () => queueMicrotask(() => attempt.end(new Error('lost'))),
  });
  void attempt.settled.then(() => { settled = true; });
  await settle();
  await settle();
  expect(settled).toBe(true);
});
