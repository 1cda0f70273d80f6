import { ConnectionRegistry, isConnectionError, MemoryStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { expect } from 'vitest';

export const store = new MemoryStore([{ id: 'a', token: 't' }]);
export const factory = { create: () => ({}) };
/** A registry with these options besides a store and a factory. */
export const build = (options: object): unknown =>
  new ConnectionRegistry({ store, factory, clock: new ManualClock(), ...options } as never);

/** The message of the `INVALID_OPTIONS` error that `work` throws. */
export function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isConnectionError(error, 'INVALID_OPTIONS')) {
      const { retryable, connectionId, retryAfterMs } = error;
      expect({ retryable, connectionId, retryAfterMs }).toEqual({
        retryable: false,
        connectionId: undefined,
        retryAfterMs: undefined,
      });
      return error.message;
    }
    throw error;
  }
  throw new Error('nothing was thrown');
}
