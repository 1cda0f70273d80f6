/** An opaque row version. Two versions are compared as `String(version)`, for equality only. */
export type Version = string | number | bigint;

/** Whether a connection is to be served. A stopped one is answered like one that does not exist. */
export type ConnectionStatus = 'active' | 'stopped';

/** What every stored row has. Extend it with what your factory needs to build an instance. */
export interface ConnectionRecord {
  readonly id: string;
  /**
   * Changes whenever the configuration or the status changes, and is never used twice for one id, not even after the
   * row was deleted and created again. Bookkeeping (last error, last seen) must not change it.
   */
  readonly version: Version;
  readonly status: ConnectionStatus;
}

/** A value or a promise of it. */
export type Awaitable<T> = T | Promise<T>;
