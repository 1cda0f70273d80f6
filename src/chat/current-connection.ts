import { AsyncLocalStorage } from 'node:async_hooks';
import type { ConnectionRecord } from '../contracts/record.js';

const storage = new AsyncLocalStorage<ConnectionRecord>();

/** Runs `work` so that it, and everything it awaits, finds `record` as the current connection. */
export function withConnection<T>(record: ConnectionRecord, work: () => T): T {
  return storage.run(record, work);
}

/**
 * The record of the connection whose handler is running. Use it in handlers that many connections share; a handler
 * made in `setup` can use its `record` parameter instead.
 *
 * @throws Error outside of a handler
 */
export function currentConnection<R extends ConnectionRecord = ConnectionRecord>(): R {
  const record = storage.getStore();
  if (record === undefined) throw new Error('currentConnection() was called outside of a handler of a Chat instance');
  return record as R;
}
